#pragma once

/* What the files of vitrine-watch share. Not for others. */

#include <linux/seccomp.h>

#include "box/watch.h"

/* watch-process.c: what a process that waits for an answer says of itself, read from /proc. What is
 * read may be another one's by the time it was, as long as the call is not known to wait still. */
struct watched {
	int proc; /* of the host */
	pid_t pid;
};

/* Bytes at an address of its memory, up to the first NUL; NULL where there are none. Owned by the
 * caller. */
char *watched_string(const struct watched *w, uint64_t address);

/* At most `size` bytes; how many, or 0. */
size_t watched_memory(const struct watched *w, uint64_t address, void *ret, size_t size);

/* What it executes, as its own file system has it; "" where that is not known. Owned by the caller.
 */
char *watched_program(const struct watched *w);

/* A path that it gave, absolute; `directory` as in openat(2). NULL where it cannot be known. */
char *watched_path(const struct watched *w, uint64_t directory, uint64_t address);

/* Is there nothing at this absolute path? */
bool watched_misses(const struct watched *w, const char *path);

/* Is it a program, where none can be executed? */
bool watched_cannot_execute(const struct watched *w, const char *path);

/* watch-answer.c: one question of a filter */
struct watch {
	const struct watch_order *order;
	int proc;
	int socket;
	uint64_t *told; /* hashes of what was told of, WATCH_EVENTS_MAX at most */
	uint32_t n_told;
	bool lost, said_lost;
};

/* Takes it, tells of it, and answers it. False when nobody will ask at this descriptor any more. */
bool watch_answer(struct watch *w, int listener);
