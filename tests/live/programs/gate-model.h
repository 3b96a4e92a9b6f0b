#pragma once

/*
 * The same random operations on two directories, one of them seen through a gate: whatever they
 * answer, and whatever is there afterwards, must be the same.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#define MODEL_FDS 12

/* Longer than the kernel inside believes what it was told. */
static const struct timespec belief = { .tv_nsec = 30000000 };

/* One of the directories. `outside` is how the user's own programs reach it: the directory that the
 * gate shows, or the plain one itself. */
struct world {
	const char *path, *outside_path;
	int root, outside;
	int fds[MODEL_FDS];
};

/* What an operation is told; each uses what it needs, and both worlds get the same. */
struct order {
	char path[1100], path2[1100];
	unsigned fd, fd2;
	off_t offset, offset2;
	size_t size;
	int flags;
	mode_t mode;
	uint64_t word;
};

struct outcome {
	int64_t value; /* what the call returned */
	int error;
	uint64_t data; /* hash of whatever else it told */
	bool has_time;
	struct timespec time; /* need not be the same to the nanosecond */
	struct stat st;	      /* for printing */
};

struct operation {
	const char *name;
	unsigned weight;
	void (*run)(struct world *w, const struct order *o, struct outcome *ret);
};

extern const struct operation operations[];
extern const size_t n_operations;

/* What somebody else does outside meanwhile. */
extern const struct operation outside_operations[];
extern const size_t n_outside_operations;

/* --- gate-random.c
 * -------------------------------------------------------------------------------- */

uint64_t random_next(uint64_t *state);
unsigned random_below(uint64_t *state, unsigned n);
void random_order(uint64_t *state, struct order *ret);
void random_fill(uint64_t seed, char *data, size_t size);
uint64_t hash_add(uint64_t hash, const void *data, size_t size);
void print_escaped(const char *s);

/* --- gate-compare.c
 * ------------------------------------------------------------------------------- */

bool times_agree(const struct timespec *a, const struct timespec *b);

/* Everything below three directories that must be alike; says where they are not. */
bool trees_agree(int inside, int outside, int plain);

/* Names and types, sorted: a hash of them, or -errno as value. */
void list_directory(int dirfd, const char *path, struct outcome *ret);
