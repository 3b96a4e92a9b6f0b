#include "session/display.h"

#include "session/display-driver.h"

/* A cold xpra on a slow, busy machine. One that fails ends at once. */
#define READY_TIMEOUT_MS 60000

static const struct display_driver *const drivers[DISPLAY_BACKEND_MAX] = {
	[DISPLAY_XPRA] = &display_xpra,
	[DISPLAY_XEPHYR] = &display_xephyr,
	[DISPLAY_NONE] = &display_none,
};

void display_settle(struct display *d)
{
	d->settled = true;
}

static void fail_start(struct display *d, const char *why)
{
	if (!d->failure)
		(void)error_set(&d->failure, EIO, "%s", why);
	d->settled = true;
}

void display_fail(struct display *d, const char *why)
{
	if (d->started)
		d->events->lost(d->user, why);
	else
		fail_start(d, why);
}

void display_fail_viewer(struct display *d, const char *why)
{
	if (d->started)
		d->events->viewer_lost(d->user, why);
	else
		fail_start(d, why);
}

static int await_start(struct display *d, struct error **err)
{
	int r = loop_run(d->loop, &d->settled, READY_TIMEOUT_MS, err);

	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, ETIMEDOUT, "waited %d s for %s", READY_TIMEOUT_MS / 1000,
				 d->driver->waiting_for ? d->driver->waiting_for(d) : "it");
	if (d->failure)
		return error_move(err, TAKE_PTR(d->failure));
	return 0;
}

int display_start(const struct plan *plan, struct box *display_box, struct box *viewer_box,
		  int shared_fd, struct loop *loop, const struct display_events *events, void *user,
		  struct display **ret, struct error **err)
{
	const struct display_driver *driver = drivers[plan->display];
	_cleanup_(display_endp) struct display *d = xcalloc(1, driver->size);
	int r;

	*d = (struct display){
		.driver = driver,
		.plan = plan,
		.display_box = display_box,
		.viewer_box = viewer_box,
		.shared = shared_fd,
		.loop = loop,
		.events = events,
		.user = user,
	};
	r = driver->start(d, err);
	if (r >= 0)
		r = await_start(d, err);
	if (r < 0)
		return error_prefix(err, "cannot start the display");
	d->started = true;
	*ret = TAKE_PTR(d);
	return 0;
}

int display_attach(struct display *d, struct error **err)
{
	if (!d->driver->attach)
		return error_set(err, EOPNOTSUPP, "this display has no viewer of its own");
	return d->driver->attach(d, err);
}

int display_detach(struct display *d, struct error **err)
{
	if (!d->driver->detach)
		return error_set(err, EOPNOTSUPP, "this display has no viewer of its own");
	return d->driver->detach(d, err);
}

struct display *display_end(struct display *d)
{
	if (!d)
		return NULL;
	d->driver->end(d);
	error_free(d->failure);
	free(d);
	return NULL;
}
