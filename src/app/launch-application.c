#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/timerfd.h>

#include "app/instance.h"
#include "app/launch-phases.h"
#include "base/spawn.h"
#include "base/strv.h"

#define GRACE_MS	 150
#define DISPLAY_GRACE_MS 1000 /* to play the last samples and exit */

static void on_output(void *user, const char *data, size_t size)
{
	log_write(((struct sandbox *)user)->log, data, size);
}

static void on_application_terminal(void *user, int master)
{
	stdio_terminal(((struct sandbox *)user)->stdio, master);
}

static void on_application_started(void *user)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct sandbox *s = user;

	s->running = true;
	if (sandbox_tell(s, STATE_RUNNING, &error) < 0) {
		sandbox_lose(s, error->message);
		return;
	}
	if (s->launch->instance >= 0 &&
	    instance_announce(s->launch->instance, s->plan->id, &error) < 0) {
		sandbox_lose(s, error->message);
		return;
	}
	if (s->launch->running)
		s->launch->running(s->launch->user, s->plan->id);
	registry_sweep(s->runtime_dir);
	/* From here on this process mostly sleeps: what the launch needed goes back to the system.
	 */
	(void)malloc_trim(0);
}

static void on_application_failed(void *user, int code)
{
	struct sandbox *s = user;
	_cleanup_free_ char *why = xasprintf("cannot execute '%s': %s", s->plan->command[0],
					     strerror(code));

	if (s->launch->failed)
		s->launch->failed(s->launch->user, why);
}

static int start_grace(struct sandbox *s, int ms, source_fn *over)
{
	const struct itimerspec grace = { .it_value = { ms / 1000, ms % 1000 * 1000000L } };

	s->grace = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
	if (s->grace < 0 || timerfd_settime(s->grace, 0, &grace, NULL) < 0)
		return -errno;
	s->grace_source = loop_add(s->loop, s->grace, POLLIN, over, s);
	return 0;
}

static void on_time_over(void *user, short revents)
{
	struct sandbox *s = user;

	(void)revents;
	sandbox_stop(s, s->code);
}

/* An application whose display dies fails as well, and may be heard of first: the status that
 * counts is that of the cause, which follows at once if it is not the application's own. */
static int await_other_end(struct sandbox *s)
{
	return start_grace(s, GRACE_MS, on_time_over);
}

static void on_display_over(void *user, short revents)
{
	struct sandbox *s = user;

	(void)revents;
	launch_part_lost(s, s->display_lost);
}

void launch_display_lost(void *user, const char *why)
{
	struct sandbox *s = user;

	if (!s->running || s->ended || s->display_lost ||
	    start_grace(s, DISPLAY_GRACE_MS, on_display_over) < 0)
		launch_part_lost(s, why);
	else
		s->display_lost = xstrdup(why);
}

static void on_lifetime_over(void *user, short revents)
{
	struct sandbox *s = user;

	(void)revents;
	free(s->explanation);
	s->explanation = xasprintf("its time is over (Lifetime= in the profile '%s')",
				   s->plan->profile);
	sandbox_stop(s, 128 + SIGTERM);
}

/* Counts from the start of the application; time that the machine sleeps counts too. */
static int limit_lifetime(struct sandbox *s, struct error **err)
{
	const struct itimerspec end = { .it_value.tv_sec = s->plan->lifetime };

	if (!s->plan->lifetime)
		return 0;
	s->lifetime = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC);
	if (s->lifetime < 0 || timerfd_settime(s->lifetime, 0, &end, NULL) < 0)
		return error_errno(err, "cannot set a timer");
	s->lifetime_source = loop_add(s->loop, s->lifetime, POLLIN, on_lifetime_over, s);
	return 0;
}

/* Of its end, for people; or NULL. Owned by the caller. */
static char *explain_end(struct sandbox *s)
{
	if (s->code == 128 + SIGKILL)
		return limits_explain(s, BOX_APP);
	if (s->code == 128 + SIGSYS)
		return xasprintf(
			"the application made a system call that [Seccomp] of profile '%s' "
			"denies with Answer=kill",
			s->plan->profile);
	return NULL;
}

static void on_application_ended(void *user, int status)
{
	struct sandbox *s = user;

	s->ended = true;
	s->code = status_to_exit_code(status);
	if (!s->explanation)
		s->explanation = explain_end(s);
	if (s->code && s->display_lost)
		launch_part_lost(s, s->display_lost);
	else if (!s->code || s->plan->display == DISPLAY_NONE || await_other_end(s) < 0)
		sandbox_stop(s, s->code);
}

static int control_stop_request(void *user, struct error **err)
{
	(void)err;
	sandbox_stop(user, 128 + SIGTERM);
	return 0;
}

static int set_shown(struct sandbox *s, bool shown, struct error **err)
{
	int r = shown ? display_attach(s->display, err) : display_detach(s->display, err);

	if (r < 0)
		return r;
	return sandbox_tell(s, shown ? STATE_RUNNING : STATE_DETACHED, err);
}

static int control_attach_request(void *user, struct error **err)
{
	return set_shown(user, true, err);
}

static int control_detach_request(void *user, struct error **err)
{
	return set_shown(user, false, err);
}

/* Every command of the app box has the same environment; one with a terminal is told so. */
static int spawn_in_app(struct sandbox *s, struct box_command *c,
			const struct box_command_events *events, void *user, struct error **err)
{
	const struct box_plan *box = &s->plan->boxes[BOX_APP];
	_cleanup_strv_ char **env = strv_copy(box->environment);

	if (c->terminal)
		strv_add(&env, "TERM=xterm-256color");
	c->env = env;
	c->cwd = box->home;
	return box_spawn(s->boxes[BOX_APP], c, events, user, err);
}

static int control_enter_request(void *user, struct box_command *c,
				 const struct box_command_events *events, void *command_user,
				 struct error **err)
{
	return spawn_in_app(user, c, events, command_user, err);
}

static const struct control_handlers control_handlers = {
	.stop = control_stop_request,
	.attach = control_attach_request,
	.detach = control_detach_request,
	.enter = control_enter_request,
	.share = control_share_request,
	.unshare = control_unshare_request,
	.walk = control_walk_request,
};

int launch_application(struct sandbox *s, struct error **err)
{
	static const struct box_command_events events = {
		.listener = on_application_asks,
		.terminal = on_application_terminal,
		.started = on_application_started,
		.failed = on_application_failed,
		.ended = on_application_ended,
	};
	struct box_command c = { .argv = s->plan->command };
	struct stdio_ends ends;
	int r;

	r = control_new(s->dir.fd, s->loop, &control_handlers, s, &s->control, err);
	if (r < 0)
		return r;
	r = stdio_new(s->loop, s->launch->detached, on_output, s, &ends, &s->stdio, err);
	if (r < 0)
		return r;
	memcpy(c.stdio, ends.fds, sizeof c.stdio);
	c.terminal = ends.terminal;
	c.rows = ends.rows;
	c.columns = ends.columns;
	c.watched = s->watcher != NULL;
	c.filter = s->watcher ? watcher_filter(s->watcher) : -EBADF;
	r = spawn_in_app(s, &c, &events, s, err);
	stdio_ends_release(&ends);
	return r < 0 ? r : limit_lifetime(s, err);
}
