#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>

#include "app/launch-phases.h"
#include "base/fs.h"
#include "base/parse.h"
#include "session/cgroup.h"

#define EVENTS_FILE   "memory.events"
#define EVENT	      "oom_kill"
#define HELPERS_MAX   (BOX_KIND_MAX + 3)
#define PROC_FILE_MAX 65536U

/* --- the way to a control group ---------------------------------------------- */

/* Early, like the monitors: it connects to systemd while this process goes on. */
int launch_scope(struct sandbox *s, struct error **err)
{
	return manager_runs() ? scope_new(&s->scope, err) : 0;
}

/* The supervisor and what it has started so far; ended by 0. Everything else is its child from
 * where it is then. Whatever has ended already says why when it is used. */
static void list_processes(const struct sandbox *s, pid_t ret[HELPERS_MAX])
{
	size_t n = 0;

	ret[n++] = getpid();
	if (gate_pid(s->gate))
		ret[n++] = gate_pid(s->gate);
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++)
		if (s->boxes[k] && !box_is_gone(s->boxes[k]))
			ret[n++] = box_monitor_pid(s->boxes[k]);
	ret[n] = 0;
}

/* Only systemd may move processes out of the group of a login session. */
int launch_limits(struct sandbox *s, struct error **err)
{
	const char *name = s->profile->name;
	_cleanup_free_ char *description = xasprintf("vitrine: %s", name);
	pid_t pids[HELPERS_MAX];
	struct scope_request q = { .description = description, .delegate = true, .pids = pids };

	if (!s->scope || s->facts.delegation.way != CGROUP_SYSTEMD)
		return 0;
	list_processes(s, pids);
	s->scope_name = scope_name(name, getpid());
	q.name = s->scope_name;
	return scope_ask(s->scope, &q, err);
}

int limits_await_scope(struct sandbox *s, struct error **err)
{
	return s->scope_name ? scope_await(s->scope, err) : 0;
}

/* A scope of its own: it must not end with that of the sandbox that happened to be the first. */
void limits_on_holder_started(void *user, pid_t pid)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *name = xasprintf("vitrine-holder-%d.scope", pid);
	const pid_t pids[] = { pid, 0 };
	const struct scope_request q = {
		.name = name,
		.description = "vitrine: namespaces of the session",
		.pids = pids,
	};
	struct sandbox *s = user;

	/* An answer that does not come is found out when all are waited for. */
	if (s->scope_name && scope_ask(s->scope, &q, &error) < 0)
		log_line(s->log, "%s", error->message);
}

static int begin_leaves(struct sandbox *s, struct error **err)
{
	int r = limits_await_scope(s, err);

	s->scope = scope_free(s->scope);
	if (r < 0 || s->plan->limits.way == CGROUP_NONE)
		return r;
	if (s->plan->limits.way == CGROUP_DELEGATED)
		return leaves_new_beneath(s->facts.delegation.parent, s->plan->id, &s->leaves, err);
	return leaves_new_in_scope(s->scope_name, &s->leaves, err);
}

static void tell_missing(const struct sandbox *s)
{
	_cleanup_free_ char *missing = limits_to_string(s->plan->limits.missing);
	_cleanup_free_ char *note = xasprintf(
		"limits that cannot be enforced here: %s ('vitrine doctor' tells why)", missing);

	if (s->plan->limits.missing)
		sandbox_note(s, note);
}

int limits_begin(struct sandbox *s, struct error **err)
{
	const pid_t helpers[] = { gate_pid(s->gate), 0 };
	int r;

	r = begin_leaves(s, err);
	if (r >= 0 && s->leaves)
		r = plan_limits_narrow(s->plan, s->profile, leaves_controllers(s->leaves),
				       "your service manager has to be started anew for that", err);
	if (r < 0)
		return r;
	tell_missing(s);
	if (s->plan->limits.way == CGROUP_NONE)
		s->leaves = leaves_free(s->leaves);
	if (!s->leaves)
		return 0;
	/* First the name, then the group: whatever kills this process, it is known what it left. */
	s->cgroup = xstrdup(leaves_directory(s->leaves));
	r = sandbox_tell(s, s->state, err);
	if (r >= 0)
		r = leaves_make(s->leaves, s->plan, helpers, err);
	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		if (s->boxes[k] && !box_is_gone(s->boxes[k]))
			r = leaves_add(s->leaves, k, box_monitor_pid(s->boxes[k]), err);
	if (r >= 0)
		r = leaves_limit(s->leaves, s->plan, err);
	return r < 0 ? error_prefix(err, "limits") : 0;
}

/* --- read back from what runs ------------------------------------------------ */

/* "Max open files  1024  4096  files" of /proc/PID/limits (proc(5)). */
static int check_open_files(const struct box_plan *box, pid_t init, struct error **err)
{
	static const char row[] = "\nMax open files ";
	_cleanup_free_ char *path = xasprintf("/proc/%d/limits", init), *text = NULL;
	_cleanup_free_ char *want = xasprintf("%u %u", box->limits.open_files_soft,
					      box->limits.open_files);
	_cleanup_free_ char *is = NULL;
	char *at, *state, *soft, *hard = NULL;
	int r;

	r = fs_read(AT_FDCWD, path, PROC_FILE_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	at = strstr(text, row);
	soft = at ? strtok_r(at + strlen(row), " \n", &state) : NULL;
	if (soft)
		hard = strtok_r(NULL, " \n", &state);
	is = xasprintf("%s %s", soft ? soft : "?", hard ? hard : "?");
	if (strcmp(is, want))
		return error_set(err, EPERM, "its limits on open files are %s, not %s", is, want);
	return 0;
}

static void on_memory_event(void *user, short revents);

/* Poll(2) tells of changes from the first reading on (POLLPRI, cgroup-v2.rst). */
static int watch(struct sandbox *s, enum box_kind kind, struct error **err)
{
	char byte;

	if (!(s->plan->limits.enforced & 1U << LIMIT_MEMORY))
		return 0;
	s->events[kind] = openat(leaves_of_box(s->leaves, kind), EVENTS_FILE,
				 O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (s->events[kind] < 0 || pread(s->events[kind], &byte, 1, 0) < 0)
		return error_errno(err, "cannot watch %s", EVENTS_FILE);
	s->watches[kind] = loop_add(s->loop, s->events[kind], POLLPRI, on_memory_event, s);
	return 0;
}

static int check_box(struct sandbox *s, enum box_kind kind, struct error **err)
{
	pid_t init = box_init_pid(s->boxes[kind]);
	int r;

	r = check_open_files(&s->plan->boxes[kind], init, err);
	if (r < 0 || !s->leaves)
		return r;
	r = leaves_verify(s->leaves, kind, init, err);
	/* It has started what it was there for: from now on it must survive what happens inside. */
	if (r >= 0)
		r = leaves_add_host(s->leaves, box_monitor_pid(s->boxes[kind]), err);
	return r < 0 ? r : watch(s, kind, err);
}

int limits_check(struct sandbox *s, struct error **err)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		int r = s->boxes[k] ? check_box(s, k, err) : 0;

		if (r < 0)
			return error_prefix(err, "%s box", box_kind_to_string(k));
	}
	return 0;
}

/* --- out of memory ----------------------------------------------------------- */

/* As in a profile; owned by the caller. */
static char *size_to_string(uint64_t bytes)
{
	static const char units[] = "GMK";

	for (size_t i = 0; units[i]; i++) {
		unsigned shift = 30 - 10 * (unsigned)i;

		if (bytes && !(bytes & ((UINT64_C(1) << shift) - 1)))
			return xasprintf("%" PRIu64 "%c", bytes >> shift, units[i]);
	}
	return xasprintf("%" PRIu64 " bytes", bytes);
}

static char *explain(const struct sandbox *s, enum box_kind kind)
{
	_cleanup_free_ char *limit = size_to_string(s->plan->boxes[kind].limits.memory);
	static const char *const who[] = {
		[BOX_APP] = "application",
		[BOX_DISPLAY] = "display",
		[BOX_VIEWER] = "viewer",
	};

	if (kind != BOX_APP)
		return xasprintf("the %s was out of memory: it reached the limit of %s", who[kind],
				 limit);
	return xasprintf(
		"the %s was out of memory: it reached the limit of %s (Memory= in [Limits] "
		"of profile '%s')",
		who[kind], limit, s->plan->profile);
}

/* How many processes the kernel has killed since this was asked last. */
static uint64_t new_kills(struct sandbox *s, enum box_kind kind)
{
	uint64_t before = s->kills[kind];

	if (!s->leaves || s->events[kind] < 0)
		return 0;
	s->kills[kind] = cgroup_count(leaves_of_box(s->leaves, kind), EVENTS_FILE, EVENT);
	return s->kills[kind] - before;
}

static void look_for_kills(struct sandbox *s)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		uint64_t n = new_kills(s, k);
		_cleanup_free_ char *why = n ? explain(s, k) : NULL;

		if (n)
			log_line(s->log, "%s; the kernel has killed %" PRIu64 " of its processes",
				 why, n);
	}
}

static void on_memory_event(void *user, short revents)
{
	struct sandbox *s = user;
	char byte;

	(void)revents;
	/* A reading, or poll(2) goes on telling of this event. */
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++)
		if (s->events[k] >= 0)
			(void)!pread(s->events[k], &byte, 1, 0);
	look_for_kills(s);
}

char *limits_explain(struct sandbox *s, enum box_kind kind)
{
	look_for_kills(s);
	return s->kills[kind] ? explain(s, kind) : NULL;
}
