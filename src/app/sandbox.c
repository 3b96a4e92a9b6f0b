#include "app/sandbox.h"

#include <signal.h>

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

static void accept_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* From the outside in, while nothing is called back, since the loop does not run: first what serves
 * the boxes and refers to them; then the boxes, each with every process in it; then the tmpfs that
 * they lived on, and the locks on what they used. */
void sandbox_end(struct sandbox *s)
{
	struct error *ignored = NULL;

	if (s->plan && s->dir.fd >= 0)
		(void)state_write(s->dir.fd, s->plan, STATE_ENDING, s->started, &ignored);
	error_free(ignored);
	s->display = display_end(s->display);
	s->sound = sound_end(s->sound);
	s->net = net_end(s->net);
	for (size_t k = 0; k < BOX_KIND_MAX; k++)
		s->boxes[k] = box_end(s->boxes[k]);
	s->shared = close_fd(s->shared);
	holder_release(&s->holder);
	for (size_t k = 0; k < BOX_KIND_MAX; k++) {
		close_fd(s->image_locks[k]);
		free(s->image_dirs[k]);
	}
	s->log = log_free(s->log);
	registry_remove(s->runtime_dir, &s->dir);
	/* Last, because its callers wait for the connection to close when nothing is left. */
	s->control = control_free(s->control);
	s->plan = plan_free(s->plan);
	x11_desktop_release(&s->desktop);
	facts_release(&s->facts);
	close_fd(s->filter);
	/* Nothing is left but output that nobody has read yet. Whoever told us to end does not want
	 * to wait for that; who waits may end this process. */
	if (s->signals >= 0 && s->ended)
		accept_signals();
	s->stdio = stdio_end(s->stdio, s->ended);
	close_fd(s->signals);
	close_fd(s->grace);
	close_fd(s->lock);
	close_fd(s->runtime_dir);
	free(s->started);
	free(s->lost);
	s->loop = loop_free(s->loop);
}
