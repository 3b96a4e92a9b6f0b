#pragma once

/*
 * Whose a denial is. A running box is known by its ids, which no other box of this machine has;
 * with UidMode=user, or where the line has no id, by the process, as long as that lives.
 */

#include "app/denial.h"
#include "base/error.h"
#include "plan/plan.h"

/* A range of ids as the host sees them. */
struct id_range {
	uint64_t first, count;
};

/* A running box. */
struct denial_owner {
	char *id; /* of the sandbox */
	enum box_kind kind;
	pid_t init;
	uint64_t started_ms; /* the second in which the sandbox was started, since 1970 */
	struct id_range *ids;
	size_t n_ids;
};

struct denial_owners {
	struct denial_owner *v;
	size_t n;
	uint64_t uid; /* the user's own */
};

/* The running boxes of this user; those that end meanwhile are left out. */
int denial_owners_read(int runtime_dir, struct denial_owners *ret, struct error **err);
void denial_owners_release(struct denial_owners *o);

/* NULL: none of those. Looks into /proc where an id does not tell. */
const struct denial_owner *denial_owner_find(const struct denial_owners *o, const struct denial *d);

/* Pure: is it about a process of this user's sandboxes, running or not? `sub_ids` are the user's
 * subordinate ids. Where the line does not tell who it was, the name of the profile decides. */
bool denial_is_of_user(const struct denial *d, uint64_t uid, const struct id_range *sub_ids);

/* Pure: the ranges outside of a file like /proc/PID/uid_map; -EINVAL if it is none. */
int id_map_parse(const char *text, struct id_range **ret, size_t *ret_n);

/* Pure: the time of a state file (state_time_now()); 0 if it is none. */
uint64_t state_time_ms(const char *text);
