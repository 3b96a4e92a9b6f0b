#pragma once

/*
 * Putting a nameless file in the place of another: a reader sees the old or the new one, whoever is
 * killed meanwhile, and whatever was made at the name by somebody else is not overwritten unless it
 * is what was to be replaced. Only descriptors and one name; nothing here knows of a gate.
 *
 * Where the temporary can be linked (O_TMPFILE, same file system) that is two system calls.
 * Otherwise its content is copied into a file beside, a piece at a time: the caller has more to do
 * than to wait for a memory stick.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/alloc.h"

struct temporary {
	int fd;	     /* O_RDWR; owned */
	mode_t mode; /* of a file that is new at its place; it has 0600 itself until then */
};

/* 0 or -errno, as all of these. */
int temporary_make(int parent, struct temporary *ret);

struct replace {
	int parent;	  /* borrowed, as name */
	const char *name; /* in parent */
	int old;	  /* O_PATH of the file that has the name and is replaced; -EBADF: none */
	int fd;		  /* what takes the name; borrowed until it is a copy, see `copied` */
	bool copied;	  /* fd is a copy; it and old are owned */
	mode_t mode;
	char hidden[32]; /* "" while there is nothing beside */
	int from;	 /* the temporary; borrowed */
	off_t at, end;	 /* how much of it is copied */
};

#define REPLACE_NONE \
	((struct replace){ .parent = -EBADF, .old = -EBADF, .fd = -EBADF, .from = -EBADF })

/* 0: done; 1: replace_step() until it does not return 1. After an error nothing has changed.
 * -EEXIST: `old` is -EBADF and something else has the name. */
int replace_start(struct replace *r, int parent, const char *name, int old,
		  const struct temporary *t);
int replace_step(struct replace *r);

/* Also after success, and to give up: removes what is beside. */
void replace_release(struct replace *r);
