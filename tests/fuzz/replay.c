/*
 * A fuzz target without libFuzzer. Over files: a regression test of every input that ever mattered.
 * With "--random COUNT SEED" over random bytes, which is as good for a target that chooses from
 * tables, and twenty times as fast without the sanitizers.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/parse.h"
#include "tests/fuzz/fuzz.h"

#define INPUT_MAX  (2U << 20)
#define RANDOM_MAX 128

/* Exactly as large as the input: what is read behind it is seen by a sanitizer. */
static void try_input(const void *data, size_t size)
{
	_cleanup_free_ uint8_t *copy = xmalloc(size);

	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
}

static int try_files(char *const *paths)
{
	for (; *paths; paths++) {
		_cleanup_(error_freep) struct error *error = NULL;
		_cleanup_free_ char *text = NULL;
		size_t size;

		if (fs_read(AT_FDCWD, *paths, INPUT_MAX, &text, &size, &error) < 0) {
			fprintf(stderr, "%s\n", error->message);
			return 1;
		}
		try_input(text, size);
	}
	return 0;
}

/* What is tried last is on standard error, so that whatever ends it can be seen again. */
static int try_random(const char *count, const char *first)
{
	uint32_t n, seed;

	if (parse_u32(count, &n) < 0 || parse_u32(first, &seed) < 0)
		return 2;
	for (uint32_t end = seed + n; seed != end; seed++) {
		unsigned short state[3] = { 1, (unsigned short)seed, (unsigned short)(seed >> 16) };
		uint8_t data[RANDOM_MAX];
		size_t size = (size_t)nrand48(state) % (sizeof data + 1);

		for (size_t i = 0; i < size; i++)
			data[i] = (uint8_t)(nrand48(state) >> 8);
		fprintf(stderr, "\r%u ", seed);
		try_input(data, size);
	}
	fprintf(stderr, "\n");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--random"))
		return try_random(argv[2], argv[3]);
	return try_files(argv + 1);
}
