#pragma once

/*
 * Homes that sandboxes start with a copy of: ~/.local/share/vitrine/prepared/PROFILE/ with a
 * directory for each one that was saved, owned by the user, and the link `current` to the last one.
 * Whoever copies one holds a shared flock(2) on its directory; older ones are removed once nobody
 * does.
 */

#include "base/error.h"

/* The current one: *ret_fd is locked as long as it is open; *ret_path is absolute, without links.
 * -ENOENT: there is none. */
int prepared_open(const char *user_home, const char *profile, int *ret_fd, char **ret_path,
		  struct error **err);

/* One that is to be made. */
struct preparing {
	int dir; /* owned, as all below: of the profile; the directory `name` is to be made in it */
	int lock; /* nobody else saves one for this profile */
	char *name;
};

#define PREPARING_NONE ((struct preparing){ .dir = -EBADF, .lock = -EBADF })

/* -EBUSY while somebody else does. */
int prepared_begin(const char *user_home, const char *profile, struct preparing *ret,
		   struct error **err);

/* The directory is whole: from now on it is the current one. */
int prepared_commit(const struct preparing *p, struct error **err);
void preparing_release(struct preparing *p);
