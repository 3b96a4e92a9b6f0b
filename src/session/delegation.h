#pragma once

/*
 * Who gives control groups to this user: the user's service manager, or an administrator who has
 * made the user the owner of the group that this session is in (delegation in cgroup-v2.rst).
 */

#include "base/error.h"
#include "plan/plan-limits.h"

/* What brings all controllers, where vitrine's addition to user@.service is installed. */
#define DELEGATION_RELOGIN "sudo systemctl daemon-reload, then log out of all sessions and in again"

struct delegation {
	enum cgroup_way way;
	unsigned controllers; /* set of limits */
	char *parent;	      /* with CGROUP_DELEGATED: where groups of sandboxes are made. Owned */
	char *why;	  /* with CGROUP_NONE: what is in the way, a sentence for people. Owned */
	const char *mend; /* and what helps. Static */
};

void delegation_find(struct delegation *ret);
void delegation_release(struct delegation *d);

/* Does the user's service manager run, so that it can be asked (session/scope.h)? */
bool manager_runs(void);

/* Can groups be made in the one that `fd` (of a directory) is? It must be the caller's to write,
 * have a controller, and hold no process. *ret_set are its controllers. */
bool delegation_is_usable(int fd, unsigned *ret_set);
