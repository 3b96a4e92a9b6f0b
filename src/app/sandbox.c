#include "app/sandbox.h"

#include <signal.h>

#include "base/strv.h"

#define LAST_SAVES_MS 3000

void sandbox_stop(struct sandbox *s, int code)
{
	if (s->done)
		return;
	s->done = true;
	s->code = code;
	loop_cancel(s->loop);
}

void sandbox_lose(struct sandbox *s, const char *why)
{
	log_line(s->log, "%s", why);
	if (s->done)
		return;
	s->done = true;
	s->ended = false;
	s->lost = xstrdup(why);
	loop_cancel(s->loop);
}

void sandbox_note(const struct sandbox *s, const char *note)
{
	if (s->launch->noted)
		s->launch->noted(s->launch->user, note);
}

int sandbox_tell(struct sandbox *s, enum sandbox_state state, struct error **err)
{
	struct state_now now = {
		.state = state,
		.started = s->started,
		.grants = s->gate ? gate_entries(s->gate) : NULL,
		.cgroup = s->cgroup,
	};

	for (size_t k = 0; k < BOX_KIND_MAX; k++)
		now.inits[k] = s->boxes[k] ? box_init_pid(s->boxes[k]) : 0;
	s->state = state;
	return state_write(s->dir.fd, s->plan, &now, err);
}

static void accept_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* A process of the box that dies may wait for its save, the gate that saves for this process, and
 * this one for the box: so it answers while it waits. */
static void take_last_saves(struct sandbox *s)
{
	int ended = s->boxes[BOX_APP] ? box_close(s->boxes[BOX_APP]) : -EBADF;

	/* An init that a thousand processes keep from running hears of nothing. */
	if (s->leaves)
		leaves_kill(s->leaves);

	if (s->gate && ended >= 0)
		gate_drain(s->gate, ended, LAST_SAVES_MS);
}

/* First what serves the boxes and refers to them; then the boxes, each with every process in it. */
static void end_boxes(struct sandbox *s)
{
	for (size_t k = 0; k < BOX_KIND_MAX; k++) {
		s->watches[k] = source_remove(s->watches[k]);
		s->events[k] = close_fd(s->events[k]);
	}
	s->display = display_end(s->display);
	s->sound = sound_end(s->sound);
	s->bus = bus_end(s->bus);
	s->desktop_bus = desktop_bus_end(s->desktop_bus);
	s->bus_denials = bus_denials_free(s->bus_denials);
	s->net = net_end(s->net);
	take_last_saves(s);
	for (size_t k = 0; k < BOX_KIND_MAX; k++)
		s->boxes[k] = box_end(s->boxes[k]);
	watch_end(s);
	/* Only now: what the application has written last comes through the gate. */
	s->gate = gate_end(s->gate);
	s->scope = scope_free(s->scope);
	s->leaves = leaves_free(s->leaves);
}

int sandbox_hold(struct sandbox *s, struct error **err)
{
	end_boxes(s);
	free(s->cgroup);
	s->cgroup = NULL;
	s->grace_source = source_remove(s->grace_source);
	s->lifetime_source = source_remove(s->lifetime_source);
	/* The terminal is for whoever asks now. */
	s->stdio = stdio_end(s->stdio, s->ended);
	control_hold(s->control);
	return sandbox_tell(s, STATE_HELD, err);
}

/* From the outside in, while nothing is called back, since the loop does not run: the boxes with
 * all that serves them; then the tmpfs that they lived on, and the locks on what they used. */
void sandbox_end(struct sandbox *s)
{
	struct error *ignored = NULL;

	if (s->plan && s->dir.fd >= 0)
		(void)sandbox_tell(s, STATE_ENDING, &ignored);
	error_free(ignored);
	end_boxes(s);
	s->shared = close_fd(s->shared);
	walks_end(s);
	holder_release(&s->holder);
	for (size_t k = 0; k < BOX_KIND_MAX; k++)
		image_release(&s->images[k]);
	home_release(&s->home);
	close_fd(s->prepared);
	free(s->prepared_dir);
	s->log = log_free(s->log);
	registry_remove(s->runtime_dir, &s->dir);
	/* Last, because its callers wait for the connection to close when nothing is left. */
	s->control = control_free(s->control);
	s->plan = plan_free(s->plan);
	for (size_t i = 0; i < s->n_grants; i++) {
		free(s->grants[i].source);
		free(s->grants[i].place);
		free(s->grants[i].target);
	}
	free(s->grants);
	strv_free(s->arguments);
	x11_desktop_release(&s->desktop);
	facts_release(&s->facts);
	for (size_t k = 0; k < BOX_KIND_MAX; k++) {
		free(s->labels[k].label);
		free(s->labels[k].policy);
		close_fd(s->filters[k]);
	}
	/* Nothing is left but output that nobody has read yet. Whoever told us to end does not want
	 * to wait for that; who waits may end this process. */
	if (s->signals >= 0 && s->ended)
		accept_signals();
	s->stdio = stdio_end(s->stdio, s->ended);
	close_fd(s->signals);
	close_fd(s->grace);
	close_fd(s->lifetime);
	close_fd(s->lock);
	close_fd(s->runtime_dir);
	free(s->cgroup);
	free(s->scope_name);
	free(s->explanation);
	free(s->display_lost);
	free(s->started);
	free(s->lost);
	s->loop = loop_free(s->loop);
}
