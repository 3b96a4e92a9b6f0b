#pragma once

/*
 * Homes that outlive their sandboxes: ~/.local/share/vitrine/homes/PROFILE/, which only the user
 * may enter, with
 *
 *   slice          the number of the ids that its files belong to, which nobody else gets as long
 * as this is there (plan.h, SLICE_KEPT) lock           flock(2) of the supervisor of the one
 * sandbox that uses it, and its id home/          with Home=kept (KEPT_HOME) kept/NAME      one for
 * each path of Kept= (KEPT_PATHS, plan_kept_name())
 *
 * The last two are made, read and removed by root of the holder: they belong to ids of the slice.
 * What is removed is renamed to .PROFILE.PID.old first. homes/.lock is held while numbers are
 * given.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct home {
	int dir;    /* owned, as all below */
	int lock;   /* -EBADF: it is not ours */
	char *path; /* of dir: absolute, without links */
	uint32_t slice;
};

#define HOME_NONE ((struct home){ .dir = -EBADF, .lock = -EBADF })

/* The home of a profile for one sandbox; what is missing is made. -EBUSY names the sandbox that has
 * it; -EUCLEAN: it is damaged. `id` is of the sandbox that is going to have it. */
int home_claim(const char *user_home, const char *profile, const char *id, struct home *ret,
	       struct error **err);

/* Opens ~/.local/share/vitrine/homes, to hand it on. -ENOENT: nothing was ever kept. */
int homes_open(const char *user_home, int *ret_fd, struct error **err);

/* Names of all homes, sorted; of the condemned instead of these, if that is asked for. May be NULL.
 */
int homes_list(int homes, bool condemned, char ***ret, struct error **err);

struct home_facts {
	bool damaged; /* and why: */
	char *why;
	char *running;	/* id of the sandbox that uses it, "" where that is not known; NULL: none */
	bool home;	/* there is KEPT_HOME */
	char **kept;	/* paths in KEPT_PATHS beneath the home; may be NULL */
	uint32_t slice; /* unless it is damaged */
};

/* -ENOENT, with a suggestion, where there is none. */
int home_look(int homes, const char *profile, struct home_facts *ret, struct error **err);
void home_facts_release(struct home_facts *f);

/* Renames it so that nobody finds it any more: *ret is its name in `homes` now. -EBUSY as above.
 * *ret_lock is held until nothing is left of it. */
int home_condemn(int homes, const char *profile, char **ret, int *ret_lock, struct error **err);

/* Locks one that somebody condemned who did not come to an end; -EBUSY: he still might. */
int home_condemned_lock(int homes, const char *name, int *ret_lock, struct error **err);

/* Removes what the user himself can remove: nothing else may be in it any more. */
int home_forget(int homes, const char *name, struct error **err);

void home_release(struct home *h);
