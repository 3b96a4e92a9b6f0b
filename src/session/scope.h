#pragma once

/*
 * Asks the user's systemd for scopes (systemd.scope(5)): a control group for processes that run
 * already. The asking is done by vitrine-scope, a program of its own: systemd's library takes
 * longer to load than the answer to come, and meanwhile the caller goes on.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* vitrine-scope inherits a socket here. A request is one message: name, description, delegate
 * (u32), and pids, each a string. The answer to each, in turn, is one: a string, empty when the
 * processes are in the scope, otherwise why not. */
#define SCOPE_SOCKET 3

#define SCOPE_PIDS_MAX 16U

struct scope_request {
	const char *name;	 /* of the unit */
	const char *description; /* for `systemctl --user status` */
	bool delegate;		 /* its group may be divided by the user, with all controllers */
	const pid_t *pids;	 /* ended by 0, at most SCOPE_PIDS_MAX; children of anybody */
};

struct scope;

/* "app-vitrine-PROFILE-PID.scope", as desktops name what applications run in; owned by the caller.
 */
char *scope_name(const char *profile, pid_t pid);

/* Starts the program, which connects to systemd while the caller goes on. */
int scope_new(struct scope **ret, struct error **err);

/* Does not wait. */
int scope_ask(struct scope *s, const struct scope_request *q, struct error **err);

/* Waits until systemd has done everything that it was asked for. */
int scope_await(struct scope *s, struct error **err);

struct scope *scope_free(struct scope *s);

static inline void scope_freep(struct scope **s)
{
	scope_free(*s);
}
