#pragma once

/* What others may know of a running sandbox: its `state` file, written by the supervisor, read by
 * `ps`. */

#include <jansson.h>
#include <sys/types.h>

#include "plan/plan.h"
#include "session/gate.h"

enum sandbox_state {
	STATE_STARTING,
	STATE_RUNNING,
	STATE_DETACHED, /* the application runs, its windows are not shown */
	STATE_HELD,	/* nothing runs any more, its files are there */
	STATE_ENDING,
	STATE_MAX,
};

/* What changes while it runs, or is known only then. All borrowed. */
struct state_now {
	enum sandbox_state state;
	const char *started;		 /* as of state_time_now() */
	const struct gate_entry *grants; /* as of gate_entries(); NULL: none */
	pid_t inits[BOX_KIND_MAX];	 /* as the host sees them; 0: there is no such box (yet) */
	const char *cgroup;		 /* directory of the sandbox's own (cgroups(7)), of which
					    the children are named as its boxes; NULL: none (yet) */
};

int state_write(int dir, const struct plan *p, const struct state_now *now, struct error **err);

/* The file as JSON: an object; the caller's. */
int state_read(int dir, json_t **ret, struct error **err);

/* The path inside of what has this place in the gate. Owned by the caller. */
char *state_path_inside(const struct plan *p, const char *place);

/* Something given as a JSON object, as `ps` and `share` print it; its place is not looked at. JSON
 * has no bytes that are not UTF-8: a path with such is escaped as a whole (text_escape()), and then
 * is for people to read, not for programs to open. */
json_t *state_grant(const struct gate_entry *e, const char *inside);

/* Now, as ISO 8601 in UTC. Owned by the caller. */
char *state_time_now(void);
