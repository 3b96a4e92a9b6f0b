#pragma once

/*
 * One control group, as the descriptor of its directory (cgroups(7); all files are described in
 * admin-guide/cgroup-v2.rst of the kernel). Knows the files; what a sandbox makes of them is in
 * session/leaves.h.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/plan-limits.h"

#define CGROUP_FILE_MAX 65536U

/* The path of the unified hierarchy in the text of /proc/PID/cgroup (cgroups(7)); NULL if none, or
 * if it lies outside of what this process sees. Owned by the caller. */
char *cgroup_in_text(const char *text);

/* Where version 2 is mounted; NULL where it is not. Static. */
const char *cgroup_mount(void);

/* The directory of the group that a process is in. Owned by the caller. */
int cgroup_of(pid_t pid, char **ret, struct error **err);

/* Opens (O_PATH) a directory beneath cgroup_mount(), through no link; that it is a control group is
 * checked. */
int cgroup_open(const char *directory, int *ret_fd, struct error **err);

/* The controllers that a file of the group names, `cgroup.controllers` or
 * `cgroup.subtree_control`, as a set of limits; empty if it cannot be read. */
unsigned cgroup_controllers(int fd, const char *file);

/* Lets the children of the group limit these. The group itself can hold no process then. */
int cgroup_enable(int fd, unsigned limits, struct error **err);

/* Moves a process into the group: the caller must be able to write `cgroup.procs` here and in the
 * nearest group that is above both its old and its new place. */
int cgroup_add(int fd, pid_t pid, struct error **err);

/* Does any process belong to it, not counting its children? */
bool cgroup_has_processes(int fd);

/* Writes those limits that are in the set, and reads each back. `disks` as of cgroup_disks(). */
int cgroup_limit(int fd, const struct limits *l, unsigned set, char *const *disks,
		 struct error **err);

/* The disks of the machine as "MAJOR:MINOR"; sys_block is /sys/block. Owned by the caller. */
int cgroup_disks(int sys_block, char ***ret, struct error **err);

/* How often something has happened, from `memory.events` and the like. 0 if it is not known. */
uint64_t cgroup_count(int fd, const char *file, const char *event);

/* Kills every process in the group and beneath at once; none can fork its way out (cgroup.kill,
 * Linux 5.14). */
void cgroup_kill(int fd);

/* Removes a child of the group, which must have no child of its own. Waits for processes that are
 * ending, at most timeout_ms. Missing is no error. */
int cgroup_remove(int fd, const char *name, int timeout_ms, struct error **err);
