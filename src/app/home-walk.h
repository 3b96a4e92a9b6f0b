#pragma once

/* Homes that are kept, for the user's commands: no sandbox runs for these, but a holder must,
 * because the files belong to ids of its namespace. */

#include "box/holder.h"
#include "session/homes.h"
#include "session/walker.h"

struct home_walk {
	int runtime_dir, lock, homes; /* owned */
	struct holder holder;
};

#define HOME_WALK_NONE       \
	((struct home_walk){ \
		.runtime_dir = -EBADF, .lock = -EBADF, .homes = -EBADF, .holder = HOLDER_NONE })

/* -ENOENT: nothing was ever kept. */
int home_walk_begin(const char *user_home, struct home_walk *ret, struct error **err);
void home_walk_release(struct home_walk *h);

struct home_size {
	uint64_t files;
	uint64_t bytes; /* of disk */
};

/* Of each of these homes, in this order. Owned by the caller. */
int home_walk_sizes(const struct home_walk *h, char *const *names, struct home_size **ret,
		    struct error **err);

/* Starts to write a tar of all that is kept of a home to `out`: its names are those beneath the
 * home, after `prefix` and a slash if it is not "". */
int home_walk_archive(const struct home_walk *h, const char *name, const struct home_facts *facts,
		      const char *prefix, int out, struct walker **ret, struct error **err);

/* Removes a home for good, and what others left on their way to that. -EBUSY while a sandbox uses
 * it. */
int home_walk_remove(const struct home_walk *h, const char *name, struct error **err);
void home_walk_sweep(const struct home_walk *h);
