#pragma once

/*
 * Files that an application has written become files of the user's, outside. They come as a tar
 * stream and are taken as hostile: vitrine-unpack extracts them into a directory beside their
 * place, each name is looked at there (plan/protected.h), and the whole is renamed. So there is
 * nothing half, and nothing is replaced that nobody wanted to be replaced. Whoever is killed leaves
 * a directory that the next one removes.
 */

#include <stdbool.h>

#include "base/error.h"
#include "plan/protected.h"

/* What is sent has one name in the archive, beneath this directory: TAKING_DIR/NAME. */
#define TAKING_DIR "kept"

struct taking {
	int parent;			     /* where it goes: borrowed; its path is real */
	const char *name;		     /* in there, and in the archive */
	bool force;			     /* replace what is there */
	const struct protection *protection; /* NULL: a place of vitrine's own */
	/* Starts to write the archive to `out`, and returns at once; then waits for the end.
	 * `left_out` is owned by the caller. */
	int (*start)(void *user, int out, struct error **err);
	int (*finish)(void *user, char **ret_left_out, struct error **err);
	void *user;
};

/* -EEXIST: something has that name. -ENODATA: there was nothing to be taken, and *ret_left_out says
 * why; it is set in any case but other errors. */
int taking_run(const struct taking *t, char **ret_left_out, struct error **err);

/* Opens (makes) the directory in which `path`, absolute and beneath the home, is to lie: no link is
 * followed. */
int taking_open_parent(const char *home, const char *path, int *ret_fd, struct error **err);
