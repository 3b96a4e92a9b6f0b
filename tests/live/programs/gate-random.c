/* Chance, the same for the same seed: the orders of gate-model.c. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gate-model.h"

/* Few names, so that they meet; of any bytes that a name may have. The first ones are wanted mostly
 * for directories, so that there are deep paths. */
static const char *const names[] = {
	"a", "new\nline", "\xff\xfe", "b", "c.txt", "Ünï", "-d e", ".f",
};
#define N_NAMES	      (sizeof names / sizeof names[0])
#define N_DIRECTORIES 3

static const mode_t modes[] = {
	0644, 0644, 0600, 0755, 0700, 0777, 0400, 0444, 0500, 0300, 0200, 0000,
};
#define N_MODES (sizeof modes / sizeof modes[0])

static const int open_flags[] = { O_CREAT,  O_CREAT,	O_EXCL,	     O_TRUNC,
				  O_APPEND, O_NOFOLLOW, O_DIRECTORY, O_NONBLOCK };
#define N_OPEN_FLAGS (sizeof open_flags / sizeof open_flags[0])

uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

unsigned random_below(uint64_t *state, unsigned n)
{
	return (unsigned)(random_next(state) % n);
}

void random_fill(uint64_t seed, char *data, size_t size)
{
	bool zeros = seed % 7 == 0;

	for (size_t i = 0; i < size; i += 8) {
		uint64_t word = zeros ? 0 : random_next(&seed);

		memcpy(data + i, &word, size - i < 8 ? size - i : 8);
	}
}

uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
	const unsigned char *p = data;

	hash ^= size;
	for (; size >= 8; p += 8, size -= 8) {
		uint64_t word;

		memcpy(&word, p, 8);
		hash = (hash ^ word) * UINT64_C(0x9fb21c651e98df25);
		hash ^= hash >> 32;
	}
	while (size--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3);
	return hash;
}

/* One to four names; now and then one that is as long as can be, or longer. No ".." above the
 * directory, where the two worlds differ. */
static void random_path(uint64_t *state, char *ret, size_t room)
{
	static const unsigned depths[] = { 1, 1, 1, 2, 2, 2, 3, 3, 4 };
	unsigned depth = depths[random_below(state, 9)], oddity = random_below(state, 400);
	size_t n = 0;

	for (unsigned i = 0; i < depth; i++) {
		bool directory = random_below(state, 10) < (i + 1 < depth ? 9 : 2);
		unsigned n_names = directory ? N_DIRECTORIES : N_NAMES;

		n += (size_t)snprintf(ret + n, room - n, "%s%s", i ? "/" : "",
				      names[random_below(state, n_names)]);
	}
	if (oddity < 3)
		snprintf(ret + n, room - n, "/%0*d", 254 + (int)oddity, 0);
	else if (oddity < 6)
		snprintf(ret, room, "%0*d", 251 + (int)oddity, 0);
	else if (oddity < 9)
		snprintf(ret + n, room - n, "/");
}

static off_t random_offset(uint64_t *state)
{
	static const unsigned limits[] = { 1,	  4096,	  4097,	 10000,	 65536,
					   65536, 300000, 65537, 131072, 1 << 20 };

	return random_below(state, limits[random_below(state, 10)]);
}

static size_t random_size(uint64_t *state)
{
	static const unsigned limits[] = {
		1, 10, 100, 4096, 4097, 5000, 8192, 20000, 70000, 300000
	};

	return random_below(state, limits[random_below(state, 10)] + 1);
}

void random_order(uint64_t *state, struct order *ret)
{
	*ret = (struct order){
		.offset = random_offset(state),
		.offset2 = random_offset(state),
		.size = random_size(state),
		.flags = (int)random_below(state, 3), /* O_RDONLY, O_WRONLY, O_RDWR */
		.mode = modes[random_below(state, N_MODES)],
		.word = random_next(state),
	};
	random_path(state, ret->path, sizeof ret->path);
	random_path(state, ret->path2, sizeof ret->path2);
	if (random_below(state, 2))
		ret->flags = O_RDWR;
	for (size_t i = 0; i < N_OPEN_FLAGS; i++)
		if (random_below(state, i < 2 ? 3 : 8) == 0)
			ret->flags |= open_flags[i];
}

void print_escaped(const char *s)
{
	if (strlen(s) > 60)
		printf("...%zu...", strlen(s) - 10), s += strlen(s) - 10;
	for (; *s; s++)
		if (*s < ' ' || *s == '\x7f')
			printf("\\x%02x", (unsigned char)*s);
		else
			putchar(*s);
}
