#pragma once

/*
 * Where a build works: a directory of its own below /var/tmp, which the user's sub-ids can reach.
 * What is in it belongs to sub-ids and is removed with the help of vitrine-build-box. Locked
 * (flock(2)) while in use; the next build removes what a killed one left.
 */

#include "base/error.h"

struct scratch {
	int dir; /* owned */
	char *path;
};

#define SCRATCH_NONE ((struct scratch){ .dir = -EBADF })

int scratch_make(struct scratch *ret, struct error **err);

/* Removes what killed builds left, as far as that is possible. */
void scratch_sweep(void);

/* Nothing may run in it any more. */
void scratch_remove(struct scratch *s);
