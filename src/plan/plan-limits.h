#pragma once

/*
 * How much of the machine each box may use, and whether that can be enforced here. Limits become
 * real in control groups (the kernel's admin-guide/cgroup-v2.rst), which somebody must have given
 * to the user: systemd, or an administrator.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct host_facts;
struct plan;
struct profile;

/* What is limited, each by a controller of its own. As bits: 1 << LIMIT_X. */
enum limit {
	LIMIT_MEMORY,
	LIMIT_TASKS,
	LIMIT_CPU,
	LIMIT_IO,
	LIMIT_MAX,
};

#define LIMITS_ALL ((1U << LIMIT_MAX) - 1)

const char *limit_to_string(enum limit l);     /* "memory": as the file of the kernel begins, but */
const char *limit_to_controller(enum limit l); /* "pids", and */
const char *limit_to_key(enum limit l);	       /* "Memory=" of a profile */

/* "memory, tasks" for a set of them; "none". Owned by the caller. */
char *limits_to_string(unsigned set);

/* Who makes a control group for a sandbox. */
enum cgroup_way {
	CGROUP_NONE,	  /* nobody: no limit can be enforced */
	CGROUP_SYSTEMD,	  /* the user's service manager */
	CGROUP_DELEGATED, /* an administrator gave one to the user, in which this process is */
	CGROUP_WAY_MAX,
};

const char *cgroup_way_to_string(enum cgroup_way way);

/* Of one box. 0: no limit. */
struct limits {
	uint64_t memory; /* bytes; none of it is swapped out */
	uint32_t tasks;	 /* processes and threads */
	uint32_t cpu;	 /* percent of one processor */
	uint64_t io;	 /* bytes per second, read and written, on each disk */
	uint32_t open_files_soft, open_files;
};

struct plan_limits {
	enum cgroup_way way;
	unsigned enforced; /* set of limits: these will be, or the start fails; */
	unsigned missing;  /* these were asked for and cannot be */
};

/* Decides the limits of every box of a plan that has its boxes. What cannot be enforced here is
 * noted in the plan, or refused where the profile demands its limits. */
int plan_limits(struct plan *plan, const struct profile *p, const struct host_facts *host,
		struct error **err);

/* Fewer than was thought can be enforced, for this reason: the same again. */
int plan_limits_narrow(struct plan *plan, const struct profile *p, unsigned can, const char *why,
		       struct error **err);
