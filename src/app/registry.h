#pragma once

/*
 * The sandboxes of one user: $XDG_RUNTIME_DIR/vitrine/sandboxes/ID/ with `state` (JSON), `control`
 * (socket), `log` and `lock`. The supervisor holds a flock(2) on `lock`; a directory whose lock is
 * free belongs to a supervisor that was killed, and whoever looks next sweeps it.
 */

#include "base/error.h"

struct sandbox_dir {
	char *id;
	int fd;	  /* the directory */
	int lock; /* held while the supervisor lives */
};

#define SANDBOX_DIR_NONE ((struct sandbox_dir){ .fd = -EBADF, .lock = -EBADF })

/* Opens (makes) $XDG_RUNTIME_DIR/vitrine after checking that it is the user's alone. */
int runtime_open(int *ret_fd, struct error **err);

/* A new directory with the id PREFIX-xxxx. `lock_fd` comes from lock_open() (box/lock.h). */
int registry_add(int runtime_dir, int lock_fd, const char *prefix, struct sandbox_dir *ret,
		 struct error **err);

/* Removes the directory and gives everything back. */
void registry_remove(int runtime_dir, struct sandbox_dir *d);

/* Ids of the running sandboxes, sorted; sweeps what dead ones left. */
int registry_list(int runtime_dir, char ***ret_ids, struct error **err);

/* Sweeps what dead ones left. What cannot be removed stays for the next. */
void registry_sweep(int runtime_dir);

/* Opens the directory of one running sandbox. */
int registry_open(int runtime_dir, const char *id, int *ret_fd, struct error **err);

/* Opens a process descriptor (pidfd_open(2)) of the supervisor of an open directory, to wait for
 * its end. -ESRCH when it has ended. */
int registry_supervisor(int dir, int *ret_pidfd, struct error **err);

/* The one id that `name` means: the id itself, a unique beginning of it, or the profile's name. */
int registry_find(int runtime_dir, const char *name, char **ret_id, struct error **err);

/* The directory of the one running sandbox that `name` means. ret_id may be NULL. */
int registry_open_named(const char *name, int *ret_fd, char **ret_id, struct error **err);
