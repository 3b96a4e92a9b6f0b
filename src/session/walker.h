#pragma once

/* Walks through what boxes have written (box/walk.h), by a vitrine-walk for each. */

#include "base/loop.h"
#include "base/spawn.h"
#include "box/walk.h"

/* All borrowed for the call; negative: there is none. */
struct walker_fds {
	int user_ns; /* the holder's */
	int old;     /* snapshot */
	int bases[WALK_BASES_MAX];
	int out;
};

struct walker;

/* What came of it, told once from the loop: what was left out, in lines, or what failed. */
typedef void walker_done_fn(void *user, const char *left_out, const struct error *error);

int walker_start(const struct walk_order *o, const struct walker_fds *fds, struct loop *loop,
		 walker_done_fn *done, void *user, struct walker **ret, struct error **err);

/* Ends it if it still runs, and then tells so. */
struct walker *walker_end(struct walker *w);

/* Waits for its end, without the loop, and tells nobody. *ret_left_out is owned by the caller; may
 * be NULL. */
int walker_await(struct walker *w, char **ret_left_out, struct error **err);
