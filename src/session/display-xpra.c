#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>

#include "base/fs.h"
#include "session/display-commands.h"
#include "session/display-driver.h"
#include "session/display-program.h"

/*
 * xpra: the windows of an invisible X server (Xvfb) come to the desktop one by one. The server's
 * side runs in the display box, the viewer in a box of its own or, if the profile says so, on the
 * host.
 *
 * Both sides take long to start, so everything starts at once and waits for the other by itself:
 * the server for the X socket, the viewer for the server's socket. Only Xvfb comes a moment later,
 * because it needs to know how large the desktop is.
 *
 * Pictures go through a memory file that both have as standard input. It is sealed against being
 * made smaller, or a hostile display could kill the viewer with SIGBUS. It counts as memory of the
 * box that touches it, not of the sandbox's file space.
 */

#define MEMORY_SIZE ((64U << 20) + 4096) /* the least that xpra takes */
#define HOST_PATH   "PATH=/usr/bin:/bin"

struct xpra {
	struct display display; /* first */
	int memory;
	int socket_dir; /* for a viewer on the host */
	struct program query, x_server, resize, server, viewer;
	struct screen_size desktop;
	unsigned resize_step;
	bool x_ready, server_ready, resized;
	bool detaching;	   /* its end is our wish */
	bool attach_again; /* when it has ended */
};

static int make_memory(int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = memfd_create("display", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0 || ftruncate(fd, MEMORY_SIZE) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) < 0)
		return error_errno(err, "cannot make a memory file");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static void check_ready(struct xpra *x)
{
	if (x->x_ready && x->server_ready && x->resized)
		display_settle(&x->display);
}

static void fail_with(struct xpra *x, struct error *error)
{
	display_fail(&x->display, error->message);
}

/* --- X server --------------------------------------------------------------------------------- */

static int start_x_server(struct xpra *x, struct error **err)
{
	const struct plan *p = x->display.plan;
	const struct box_plan *box = &p->boxes[BOX_DISPLAY];
	_cleanup_strv_ char **argv = xvfb_argv(p->display_number, x->desktop);

	return program_start(&x->x_server, x->display.display_box, argv, box->environment,
			     box->home, -EBADF, err);
}

static void resize_next(struct xpra *x)
{
	const struct plan *p = x->display.plan;
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_strv_ char **argv = NULL, **env = NULL;

	if (x->desktop.width)
		argv = xrandr_resize_argv(x->resize_step++, x->desktop);
	if (!argv) {
		x->resized = true;
		check_ready(x);
		return;
	}
	env = xpra_server_env(p);
	if (program_start(&x->resize, x->display.display_box, argv, env, p->boxes[BOX_DISPLAY].home,
			  -EBADF, &error) < 0)
		fail_with(x, error);
}

/* A screen that could not be resized in time is resized by xpra, so a failure does not matter. */
static void on_resize_ended(void *user, const char *why)
{
	(void)why;
	resize_next(user);
}

static void on_x_line(void *user, const char *line)
{
	struct xpra *x = user;

	if (x->x_ready || !x_server_says_ready(line, x->display.plan->display_number))
		return;
	x->x_ready = true;
	resize_next(x);
}

static void on_query_line(void *user, const char *line)
{
	struct xpra *x = user;

	(void)xrandr_read_size(line, &x->desktop);
}

/* Without the size of the desktop the X server is simply made large. */
static void on_query_ended(void *user, const char *why)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct xpra *x = user;

	(void)why;
	if (start_x_server(x, &error) < 0)
		fail_with(x, error);
}

static int start_query(struct xpra *x, struct error **err)
{
	const struct box_plan *box = &x->display.plan->boxes[BOX_VIEWER];
	_cleanup_strv_ char **argv = NULL;

	if (!x->display.viewer_box)
		return start_x_server(x, err);
	argv = xrandr_query_argv();
	return program_start(&x->query, x->display.viewer_box, argv, box->environment, box->home,
			     -EBADF, err);
}

/* --- xpra's server ---------------------------------------------------------------------------- */

static void on_server_line(void *user, const char *line)
{
	struct xpra *x = user;

	if (x->server_ready || !xpra_server_says_ready(line))
		return;
	x->server_ready = true;
	check_ready(x);
}

static void on_server_ended(void *user, const char *why)
{
	struct xpra *x = user;

	display_fail(&x->display, why);
}

static int start_server(struct xpra *x, struct error **err)
{
	const struct plan *p = x->display.plan;
	_cleanup_strv_ char **argv = xpra_server_argv(p);
	_cleanup_strv_ char **env = xpra_server_env(p);

	return program_start(&x->server, x->display.display_box, argv, env,
			     p->boxes[BOX_DISPLAY].home, x->memory, err);
}

/* --- viewer ----------------------------------------------------------------------------------- */

static int start_viewer_in_box(struct xpra *x, struct error **err)
{
	const struct plan *p = x->display.plan;
	const struct box_plan *box = &p->boxes[BOX_VIEWER];
	_cleanup_strv_ char **argv = xpra_viewer_argv(p, BOX_XPRA_DIR);
	_cleanup_strv_ char **env = xpra_viewer_env(box->environment);

	return program_start(&x->viewer, x->display.viewer_box, argv, env, box->home, x->memory,
			     err);
}

/* The host's own xpra finds the socket's directory as its descriptor 3. */
static int start_viewer_on_host(struct xpra *x, struct error **err)
{
	static const char *const kept[] = { "DISPLAY", "HOME",	     "LANG",
					    "USER",    "XAUTHORITY", "XDG_RUNTIME_DIR" };
	_cleanup_strv_ char **argv = xpra_viewer_argv(x->display.plan, "/proc/self/fd/3");
	_cleanup_strv_ char **base = NULL, **env = NULL;
	int r;

	if (x->socket_dir < 0) {
		r = fs_open_dir(x->display.shared, "xpra", &x->socket_dir, err);
		if (r < 0)
			return r;
	}
	strv_add(&base, HOST_PATH);
	for (size_t i = 0; i < ARRAY_SIZE(kept); i++) {
		const char *value = getenv(kept[i]);

		if (value)
			strv_addf(&base, "%s=%s", kept[i], value);
	}
	env = xpra_viewer_env(base);
	return program_start_on_host(&x->viewer, argv, env, x->memory, x->socket_dir, err);
}

static int start_viewer(struct xpra *x, struct error **err)
{
	x->detaching = x->attach_again = false;
	return x->display.viewer_box ? start_viewer_in_box(x, err) : start_viewer_on_host(x, err);
}

static void on_viewer_ended(void *user, const char *why)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct xpra *x = user;

	if (!x->detaching)
		display_fail_viewer(&x->display, why);
	else if (x->attach_again && start_viewer(x, &error) < 0)
		display_fail_viewer(&x->display, error->message);
}

static int xpra_attach(struct display *d, struct error **err)
{
	struct xpra *x = (struct xpra *)d;

	if (!x->viewer.running)
		return start_viewer(x, err);
	if (!x->detaching || x->attach_again)
		return error_set(err, EALREADY, "a viewer is attached already");
	x->attach_again = true;
	return 0;
}

static int xpra_detach(struct display *d, struct error **err)
{
	struct xpra *x = (struct xpra *)d;

	if (!x->viewer.running || (x->detaching && !x->attach_again))
		return error_set(err, EALREADY, "no viewer is attached");
	x->detaching = true;
	x->attach_again = false;
	if (d->viewer_box)
		return box_signal(d->viewer_box, SIGKILL, err);
	program_kill_on_host(&x->viewer);
	return 0;
}

/* --- driver ----------------------------------------------------------------------------------- */

static int xpra_start(struct display *d, struct error **err)
{
	struct xpra *x = (struct xpra *)d;
	int r;

	x->memory = x->socket_dir = -EBADF;
	program_init(&x->query, "xrandr", d->loop, on_query_line, on_query_ended, x);
	program_init(&x->resize, "xrandr", d->loop, NULL, on_resize_ended, x);
	program_init(&x->x_server, "Xvfb", d->loop, on_x_line, on_server_ended, x);
	program_init(&x->server, "xpra's server", d->loop, on_server_line, on_server_ended, x);
	program_init(&x->viewer, "xpra's viewer", d->loop, NULL, on_viewer_ended, x);

	r = make_memory(&x->memory, err);
	if (r >= 0)
		r = start_query(x, err);
	if (r >= 0)
		r = start_server(x, err);
	if (r >= 0)
		r = start_viewer(x, err);
	return r;
}

static const char *xpra_waiting_for(const struct display *d)
{
	const struct xpra *x = (const struct xpra *)d;

	if (x->query.running)
		return "the desktop's X server";
	return x->x_ready ? "xpra's server" : "Xvfb";
}

static void xpra_end(struct display *d)
{
	struct xpra *x = (struct xpra *)d;

	program_release(&x->query);
	program_release(&x->resize);
	program_release(&x->x_server);
	program_release(&x->server);
	program_release(&x->viewer);
	close_fd(x->memory);
	close_fd(x->socket_dir);
}

const struct display_driver display_xpra = {
	.size = sizeof(struct xpra),
	.start = xpra_start,
	.waiting_for = xpra_waiting_for,
	.attach = xpra_attach,
	.detach = xpra_detach,
	.end = xpra_end,
};
