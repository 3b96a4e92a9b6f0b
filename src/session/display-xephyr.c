#include "session/display-commands.h"
#include "session/display-driver.h"
#include "session/display-program.h"

/*
 * Xephyr: an X server whose screen is one window of the desktop. It reads what the application
 * sends and holds the desktop's display socket, so it runs in the viewer box; there is no display
 * box.
 */

struct xephyr {
	struct display display; /* first */
	struct program server;
};

static void on_line(void *user, const char *line)
{
	struct xephyr *x = user;

	if (x_server_says_ready(line, x->display.plan->display_number))
		display_settle(&x->display);
}

static void on_ended(void *user, const char *why)
{
	struct xephyr *x = user;

	display_fail(&x->display, why);
}

static int xephyr_start(struct display *d, struct error **err)
{
	const struct box_plan *box = &d->plan->boxes[BOX_VIEWER];
	struct xephyr *x = (struct xephyr *)d;
	_cleanup_strv_ char **argv = xephyr_argv(d->plan);

	program_init(&x->server, "Xephyr", d->loop, on_line, on_ended, x);
	return program_start(&x->server, d->viewer_box, argv, box->environment, box->home, -EBADF,
			     err);
}

static const char *xephyr_waiting_for(const struct display *d)
{
	(void)d;
	return "Xephyr";
}

static void xephyr_end(struct display *d)
{
	program_release(&((struct xephyr *)d)->server);
}

const struct display_driver display_xephyr = {
	.size = sizeof(struct xephyr),
	.start = xephyr_start,
	.waiting_for = xephyr_waiting_for,
	.end = xephyr_end,
};
