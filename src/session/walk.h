#pragma once

/*
 * From a path to descriptors, component by component. A link counts as part of the path only where
 * nobody but root could have put it, as /home -> /data/home; every other one ends the walk.
 */

#include <stdbool.h>

#include "base/error.h"

struct walk {
	int parent; /* O_PATH of a directory; owned */
	char *name; /* its entry; NULL: the path has no last name ("/", "..") and parent is it */
	int fd;	    /* O_PATH of the entry, not a link; -EBADF: it does not exist */
};

#define WALK_NONE ((struct walk){ .parent = -EBADF, .fd = -EBADF })

/* Relative paths begin in the working directory. Succeeds where all but the last name exists.
 * -ELOOP with the real path in the message. */
int walk_path(const char *path, struct walk *ret, struct error **err);

void walk_release(struct walk *w);

/* Is it on a file system that is no place for files: proc, sysfs, cgroup, ...? Or -errno. */
int walk_is_kernels(int fd);
