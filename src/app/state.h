#pragma once

/* What others may know of a running sandbox: its `state` file, written by the supervisor, read by
 * `ps`. */

#include <jansson.h>

#include "plan/plan.h"

enum sandbox_state {
	STATE_STARTING,
	STATE_RUNNING,
	STATE_DETACHED, /* the application runs, its windows are not shown */
	STATE_ENDING,
	STATE_MAX,
};

int state_write(int dir, const struct plan *p, enum sandbox_state state, const char *started,
		struct error **err);

/* The file as JSON: an object; the caller's. */
int state_read(int dir, json_t **ret, struct error **err);

/* Now, as ISO 8601 in UTC. Owned by the caller. */
char *state_time_now(void);
