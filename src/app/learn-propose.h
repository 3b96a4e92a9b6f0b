#pragma once

/*
 * From what was recorded to what the profile lacks: the text of a drop-in, in which each line
 * stands behind a comment with the event that needs it. It gives nothing that no event needs,
 * nothing that the profile gives already, no system call that no application should need, and
 * nothing that the ceiling forbids. Pure.
 */

#include "app/learn-events.h"
#include "profile/profile.h"

/* Asked for each line before it is proposed. */
struct learn_limit {
	/* May the profile be like this? Otherwise false, and *ret_why says which rule forbids it,
	 * on one line, owned by the caller. NULL: everything may be. */
	bool (*allows)(void *user, const struct profile *p, char **ret_why);
	void *user;
};

/* `p` is the profile without what was learned before. Owned by the caller; *ret_lines is the number
 * of lines that it would add. */
int learn_propose(const struct profile *p, const struct learn_events *events,
		  const struct learn_limit *limit, char **ret, size_t *ret_lines,
		  struct error **err);
