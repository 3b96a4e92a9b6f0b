#include <poll.h>
#include <sys/statvfs.h>
#include <sys/timerfd.h>

#include "app/launch-phases.h"
#include "session/cgroup.h"
#include "session/filter.h"

#define LOOK_NS	  250000000L
#define FULL_PART 64 /* less room than this part of all is none */

static void on_event(void *user, const struct watch_policy *p, const struct watch_event *e)
{
	const struct launch_watch *watch = ((struct sandbox *)user)->launch->watch;

	watch->event(watch->user, p, e);
}

/* Nobody answers the application's filter any more. */
static void on_lost(void *user, const char *why)
{
	sandbox_lose(user, why);
}

/* --- limits, for who learns ------------------------------------------------------------------- */

/* A write that fails leaves no trace, and what it failed for may be removed at once. */
static void on_look(void *user, short revents)
{
	struct sandbox *s = user;
	struct statvfs fs;
	uint64_t times;

	(void)revents;
	(void)!read(s->full_timer, &times, sizeof times);
	if (fstatvfs(s->holder.tree, &fs) < 0 ||
	    (fs.f_bfree > fs.f_blocks / FULL_PART && fs.f_ffree > fs.f_files / FULL_PART))
		return;
	s->was_full = true;
	s->full_source = source_remove(s->full_source);
}

static int begin_looking(struct sandbox *s, struct error **err)
{
	const struct itimerspec often = { .it_value.tv_nsec = LOOK_NS,
					  .it_interval.tv_nsec = LOOK_NS };

	s->full_timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (s->full_timer < 0 || timerfd_settime(s->full_timer, 0, &often, NULL) < 0)
		return error_errno(err, "cannot make a timer");
	s->full_source = loop_add(s->loop, s->full_timer, POLLIN, on_look, s);
	return 0;
}

static bool has_happened(const struct sandbox *s, const char *file, const char *event)
{
	return s->leaves && cgroup_count(leaves_of_box(s->leaves, BOX_APP), file, event) > 0;
}

static void tell_limits(struct sandbox *s)
{
	const struct launch_watch *watch = s->launch->watch;
	const struct {
		const char *name;
		bool reached;
	} limits[] = {
		{ "disk", s->was_full },
		{ "memory", has_happened(s, "memory.events", "oom_kill") },
		{ "tasks", has_happened(s, "pids.events", "max") },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++)
		if (limits[i].reached)
			watch->limit(watch->user, limits[i].name);
}

/* --- all of it -------------------------------------------------------------------------------- */

/* Before the application, which must not be asked about before somebody answers. What serves it
 * (sound, a bus) is under the box's own filter: it is vitrine's choice, and has no part in what the
 * application needs. */
int launch_watch(struct sandbox *s, struct error **err)
{
	static const struct watcher_events events = { .event = on_event, .lost = on_lost };
	const struct launch_watch *watch = s->launch->watch;
	const struct filter_places places = FILTER_PLACES(s->facts.home);
	_cleanup_(policy_freep) struct policy *policy = NULL;
	int r;

	if (!watch)
		return 0;
	r = watch->limit ? begin_looking(s, err) : 0;
	if (r >= 0)
		r = filter_resolve(&places, s->profile, &policy, err);
	return r < 0 ? r
		     : watcher_start(policy, watch->mode, s->holder.user_ns, watch->files, s->loop,
				     &events, s, &s->watcher, err);
}

void watch_end(struct sandbox *s)
{
	if (s->watcher && s->launch->watch->limit)
		tell_limits(s);
	s->watcher = watcher_end(s->watcher);
	s->full_source = source_remove(s->full_source);
	s->full_timer = close_fd(s->full_timer);
}

void on_application_asks(void *user, int listener)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct sandbox *s = user;

	if (watcher_add(s->watcher, listener, &error) < 0)
		sandbox_lose(s, error->message);
}
