#include "plan/plan-limits.h"

#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "plan/plan.h"

#define MIB (UINT64_C(1) << 20)

/* What select(2) can have. A program that can do with more raises its limit itself. */
#define OPEN_FILES_SOFT 1024U

static const struct {
	const char *name, *controller, *key;
} names[LIMIT_MAX] = {
	[LIMIT_MEMORY] = { "memory", "memory", "Memory=" },
	[LIMIT_TASKS] = { "tasks", "pids", "Tasks=" },
	[LIMIT_CPU] = { "cpu", "cpu", "Cpu=" },
	[LIMIT_IO] = { "io", "io", "Io=" },
};

static const struct {
	const char *name;
	const char *missing; /* why a limit cannot be enforced with it */
} ways[CGROUP_WAY_MAX] = {
	[CGROUP_NONE] = { "none", "nobody has given you a control group" },
	[CGROUP_SYSTEMD] = { "systemd", "your service manager has not been given the controllers" },
	[CGROUP_DELEGATED] = { "delegated", "your control group lacks the controllers" },
};

/* An X server that a hostile application fills with pictures, and xpra with its copies of them; a
 * viewer has those of one screen. */
static const struct limits of_display = {
	.memory = 2048 * MIB,
	.tasks = 512,
	.open_files = 4096,
};
static const struct limits of_viewer = {
	.memory = 1024 * MIB,
	.tasks = 512,
	.open_files = 4096,
};

const char *limit_to_string(enum limit l)
{
	return names[l].name;
}

const char *limit_to_controller(enum limit l)
{
	return names[l].controller;
}

const char *limit_to_key(enum limit l)
{
	return names[l].key;
}

const char *cgroup_way_to_string(enum cgroup_way way)
{
	return ways[way].name;
}

char *limits_to_string(unsigned set)
{
	_cleanup_strv_ char **v = NULL;

	for (enum limit l = 0; l < LIMIT_MAX; l++)
		if (set & 1U << l)
			strv_add(&v, names[l].name);
	return v ? strv_join(v, ", ") : xstrdup("none");
}

static struct limits wanted(enum box_kind kind, const struct profile *p)
{
	const struct limits all[] = {
		[BOX_APP] = { .memory = p->memory,
			      .tasks = p->tasks,
			      .cpu = p->cpu,
			      .io = p->io,
			      .open_files = p->open_files },
		[BOX_DISPLAY] = of_display,
		[BOX_VIEWER] = of_viewer,
	};

	return all[kind];
}

/* More than a machine has is no limit: at three quarters of it the rest can still live. And nobody
 * can be allowed more open files than this process may have. */
static struct limits fit(struct limits l, const struct host_facts *host)
{
	uint64_t most = host->memory - host->memory / 4;

	if (host->memory && l.memory > most)
		l.memory = most;
	if (host->open_files && l.open_files > host->open_files)
		l.open_files = host->open_files;
	l.open_files_soft = l.open_files < OPEN_FILES_SOFT ? l.open_files : OPEN_FILES_SOFT;
	return l;
}

static unsigned asked_for(const struct limits *l)
{
	return (l->memory ? 1U << LIMIT_MEMORY : 0) | (l->tasks ? 1U << LIMIT_TASKS : 0) |
	       (l->cpu ? 1U << LIMIT_CPU : 0) | (l->io ? 1U << LIMIT_IO : 0);
}

int plan_limits_narrow(struct plan *plan, const struct profile *p, unsigned can, const char *why,
		       struct error **err)
{
	struct plan_limits *l = &plan->limits;

	l->missing |= l->enforced & ~can;
	l->enforced &= can;
	if (!l->enforced)
		l->way = CGROUP_NONE;
	if (p->limits_required && l->missing) {
		_cleanup_free_ char *missing = limits_to_string(l->missing);

		return error_set(err, EOPNOTSUPP,
				 "profile '%s' demands its limits (Required= in [Limits]), and %s "
				 "cannot be enforced: %s (see 'vitrine doctor')",
				 p->name, missing, why);
	}
	return 0;
}

int plan_limits(struct plan *plan, const struct profile *p, const struct host_facts *host,
		struct error **err)
{
	plan->limits = (struct plan_limits){ .way = host->cgroup_way };
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		if (!plan->has_box[k])
			continue;
		plan->boxes[k].limits = fit(wanted(k, p), host);
		plan->limits.enforced |= asked_for(&plan->boxes[k].limits);
	}
	return plan_limits_narrow(plan, p, host->cgroup_way == CGROUP_NONE ? 0 : host->controllers,
				  ways[host->cgroup_way].missing, err);
}
