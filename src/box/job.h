#pragma once

/* What vitrine-monitor is told to do: one message in a sealed memory file. */

#include "base/buf.h"
#include "base/error.h"
#include "plan/plan.h"

/* The one descriptor that vitrine-monitor inherits: a socket, over which its job comes, as one
 * message of one byte with these descriptors. It is started before there is a job, because loading
 * liblxc takes as long as everything that comes before. */
#define MONITOR_INBOX 3

enum monitor_fd {
	MONITOR_JOB, /* memory file: struct job */
	MONITOR_USER_NS,
	MONITOR_MOUNT_NS,
	MONITOR_NET_NS,
	MONITOR_LIFELINE, /* for vitrine-init */
	MONITOR_LOCK,	  /* only kept open: the slice is taken while the monitor lives */
	MONITOR_FDS,
	/* Only of a box with a gate: the socket to vitrine-gate (GATE_INBOX) */
	MONITOR_GATE = MONITOR_FDS,
	MONITOR_FDS_MAX,
};

struct job {
	uint32_t supervisor; /* pid: the monitor ends if that is not its parent */
	char *name;	     /* of the container, for liblxc's log */
	char *tree;	     /* HOLDER_TREES/ID */
	char *config;	     /* LXC configuration */
	char *label;	     /* AppArmor's, for the init and all that it starts; "": none */
	char *namespace;     /* where the policy is loaded first; "": there is none */
	void *policy;	     /* compiled */
	size_t policy_size;
	struct box_plan box; /* without its environment */
};

/* `ret` receives the message; nothing is taken over. */
void job_write(const struct job *j, struct buf *ret);
int job_read(const void *data, size_t size, struct job *ret, struct error **err);
void job_release(struct job *j);

/* The prepared root of a box: TREE/KIND/root. Owned by the caller. */
char *box_root_path(const char *tree, enum box_kind kind);
const char *box_kind_to_string(enum box_kind kind);
