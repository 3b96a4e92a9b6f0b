#include "app/launch.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>

#include "app/launch-phases.h"
#include "app/windows.h"

static void on_signal(void *user, short revents)
{
	struct signalfd_siginfo info;
	struct sandbox *s = user;

	(void)revents;
	if (read(s->signals, &info, sizeof info) != sizeof info)
		return;
	if (info.ssi_signo != SIGWINCH)
		sandbox_stop(s, 128 + (int)info.ssi_signo);
	else if (s->stdio)
		stdio_resize(s->stdio);
}

static int watch_signals(struct sandbox *s, struct error **err)
{
	static const int watched[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGWINCH };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++)
		sigaddset(&set, watched[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(err, "cannot block signals");
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return error_errno(err, "cannot wait for signals");
	loop_add(s->loop, s->signals, POLLIN, on_signal, s);
	return 0;
}

/* The way of a launch, in this order. */
static const struct phase {
	const char *name;
	int (*start)(struct sandbox *s, struct error **err);
} phases[] = {
	/* clang-format off */
	{ "signals", watch_signals },
	{ "scope", launch_scope },
	{ "monitors", launch_monitors },
	{ "places", launch_places },
	{ "gate", launch_gate },
	{ "limits", launch_limits },
	{ "desktop", launch_desktop },
	{ "ids", launch_ids },
	{ "given", launch_given },
	{ "plan", launch_plan },
	{ "apparmor", launch_apparmor },
	{ "filters", launch_filters },
	{ "session", launch_session },
	{ "cookies", launch_cookies },
	{ "boxes", launch_boxes },
	{ "snapshot", launch_snapshot },
	{ "network", launch_network },
	{ "bus", launch_bus },
	{ "sound", launch_sound },
	{ "display", launch_display },
	{ "compared", launch_snapshot_await },
	{ "watch", launch_watch },
	{ "application", launch_application },
	/* clang-format on */
};

static void tell_windows(const struct sandbox *s)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *text = NULL;

	if (windows_text(s->facts.home, s->plan->display, &text, &error) < 0)
		fprintf(stderr, "%-12s %s\n", "windows", error->message);
	else if (text)
		fprintf(stderr, "%-12s %s%s\n", "windows", text,
			s->plan->viewer == VIEWER_HOST ? ", seen with this host's xpra" : "");
}

static int start(struct sandbox *s, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++) {
		uint64_t begin = now_us();
		int r = phases[i].start(s, err);

		if (s->launch->timings)
			fprintf(stderr, "%-12s %7.1f ms\n", phases[i].name,
				(double)(now_us() - begin) / 1000);
		if (r < 0)
			return r;
	}
	if (s->launch->timings)
		tell_windows(s);
	return 0;
}

static void on_reviewed(void *user, short revents)
{
	struct sandbox *s = user;

	(void)revents;
	s->reviewed = true;
}

/* A signal, or `vitrine stop`, ends this as well; then that is the exit code. */
static int hold(struct sandbox *s, struct error **err)
{
	_cleanup_(child_end) struct child reviewer = CHILD_NONE;
	struct source *source;
	int r;

	r = sandbox_hold(s, err);
	if (r >= 0)
		r = s->launch->held(s->launch->user, s->plan->id, &reviewer, err);
	if (r < 0)
		return r;
	s->done = false;
	loop_resume(s->loop);
	source = loop_add(s->loop, reviewer.pidfd, POLLIN, on_reviewed, s);
	r = loop_run(s->loop, &s->reviewed, -1, err);
	source_remove(source);
	if (s->done)
		*err = error_free(*err);
	s->done = true;
	return r < 0 && *err ? r : 0;
}

int launch_run(const struct launch *l, int *ret_code, struct error **err)
{
	struct sandbox s = {
		.launch = l,
		.profile = permit_profile(l->permit),
		.loop = loop_new(),
		.runtime_dir = -EBADF,
		.lock = -EBADF,
		.dir = SANDBOX_DIR_NONE,
		.home = HOME_NONE,
		.images = { IMAGE_NONE, IMAGE_NONE, IMAGE_NONE },
		.prepared = -EBADF,
		.events = { -EBADF, -EBADF, -EBADF },
		.filters = { -EBADF, -EBADF, -EBADF },
		.snapshot = -EBADF,
		.holder = HOLDER_NONE,
		.shared = -EBADF,
		.signals = -EBADF,
		.grace = -EBADF,
		.full_timer = -EBADF,
		.lifetime = -EBADF,
	};
	_cleanup_free_ char *explanation = NULL;
	bool watched;
	int r;

	r = start(&s, err);
	if (r >= 0)
		r = loop_run(s.loop, &s.done, -1, err);
	/* Cancelled means that the reason is in s, and it is the better one. */
	if (s.done)
		*err = error_free(*err);
	if (s.done && l->held && s.control && (s.ended || s.lost))
		r = hold(&s, err);
	else if (s.done)
		r = 0;
	if (s.lost && r >= 0)
		r = error_set(err, EIO, "%s", s.lost);
	if (s.done)
		*ret_code = s.code;
	explanation = TAKE_PTR(s.explanation);
	watched = s.watcher != NULL;
	sandbox_end(&s);
	if (watched)
		l->watch->ended(l->watch->user);
	if (explanation && l->explained)
		l->explained(l->user, explanation);
	return r;
}
