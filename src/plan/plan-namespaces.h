#pragma once

/*
 * How many namespaces may exist in each box at a time, of each kind: counted and enforced by the
 * kernel (namespaces(7)), whoever in the box makes them and however deep they are nested.
 */

#include <stdint.h>

struct box_plan;
struct profile;

enum namespace_kind {
	NAMESPACE_USER,
	NAMESPACE_PID,
	NAMESPACE_NET,
	NAMESPACE_IPC,
	NAMESPACE_MOUNT,
	NAMESPACE_UTS,
	NAMESPACE_CGROUP,
	NAMESPACE_TIME,
	NAMESPACE_KIND_MAX,
};

/* As in the kernel's /proc/sys/user/max_NAME_namespaces. */
const char *namespace_kind_to_string(enum namespace_kind kind);

/* Fills b->namespaces. */
void plan_namespaces(struct box_plan *b, const struct profile *p);
