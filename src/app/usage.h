#pragma once

/*
 * What a sandbox uses: processor, memory, tasks, room in its tmpfs, devices, network. It is read
 * from its cgroup where it has one with the controllers for it, otherwise from the processes below
 * its supervisor; so it also works where nothing is delegated to the user.
 */

#include <stdbool.h>

#include "app/usage-text.h"
#include "base/error.h"

/* Bytes if not said otherwise; USAGE_UNKNOWN: nobody tells. */
struct usage {
	bool cgroup;	 /* processor time and tasks are of the cgroup, or else of the processes */
	uint64_t cpu_us; /* since the start */
	/* Of the cgroup: all that the kernel has for it, files in memory included. Of the
	 * processes: their resident memory that belongs to no file and is not shared. */
	uint64_t memory;
	uint64_t memory_limit;	      /* of the cgroup */
	uint64_t tasks;		      /* threads */
	uint64_t disk, disk_limit;    /* of the tmpfs that has all that the sandbox writes */
	uint64_t io_read, io_written; /* from and to devices, of the cgroup */
	uint64_t received, sent;      /* the app box's network, without its loopback */
};

/* The processes of this machine, read when the first sandbox asks for them. */
struct processes {
	struct process *v;
	size_t n;
	bool complete; /* it was read */
};

void processes_release(struct processes *p);

/* How many of them descend from `ancestor`, and which: their indexes in ret (owned by the caller),
 * that of the ancestor first. 0 if it is not there. Pure. */
size_t processes_below(const struct processes *p, pid_t ancestor, size_t **ret);

/* Reads what there is into `p`, once. */
int processes_read(struct processes *p, struct error **err);

/* A running sandbox, as its state file tells. */
struct usage_subject {
	const char *id;
	const char *cgroup; /* its directory, or NULL */
	pid_t supervisor;
	pid_t init; /* of the app box; 0: there is none yet */
};

/* -ESRCH when it has ended. `p` is shared by all sandboxes of one round. */
int usage_read(const struct usage_subject *s, struct processes *p, struct usage *ret,
	       struct error **err);

/* Of one processor, in percent, between two readings that lie so far apart. */
double usage_cpu_percent(const struct usage *before, const struct usage *now, uint64_t elapsed_us);
