#include "plan/plan-namespaces.h"

#include "plan/plan.h"

/*
 * What the sandboxes of browsers are made of: their processes get a user namespace, and in it
 * networks, process numbers and message queues of their own. None of them mounts anything, so none
 * gets a mount namespace: without one no capability allows a mount.
 */
/* clang-format off */
static const struct row {
	const char *name;
	bool nested; /* comes with [Seccomp] UserNamespaces= */
} rows[] = {
	[NAMESPACE_USER]   = { "user",   true },
	[NAMESPACE_PID]    = { "pid",    true },
	[NAMESPACE_NET]    = { "net",    true },
	[NAMESPACE_IPC]    = { "ipc",    true },
	[NAMESPACE_MOUNT]  = { "mnt",    false },
	[NAMESPACE_UTS]    = { "uts",    false },
	[NAMESPACE_CGROUP] = { "cgroup", false },
	[NAMESPACE_TIME]   = { "time",   false },
};
/* clang-format on */

const char *namespace_kind_to_string(enum namespace_kind kind)
{
	return rows[kind].name;
}

void plan_namespaces(struct box_plan *b, const struct profile *p)
{
	uint32_t n = b->kind == BOX_APP ? p->user_namespaces : 0;

	for (enum namespace_kind k = 0; k < NAMESPACE_KIND_MAX; k++)
		b->namespaces[k] = rows[k].nested ? n : 0;
}
