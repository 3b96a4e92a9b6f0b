#pragma once

/*
 * What the application draws on, and how it comes to the desktop. Three drivers, chosen by
 * plan->display: xpra (X server and xpra's server in the display box, xpra's viewer in the viewer
 * box or on the host), Xephyr (one X server in the viewer box, a window of the desktop) and none.
 * Knows nothing of how a box is made.
 */

#include "base/error.h"
#include "base/loop.h"
#include "box/box.h"
#include "plan/plan.h"

struct display;

/* Called from the loop, with one line of why; never after display_end(). */
struct display_events {
	/* The X server or xpra's server ended: no window will ever come again. */
	void (*lost)(void *user, const char *why);
	/* The viewer ended by itself; the windows are kept for display_attach(). */
	void (*viewer_lost)(void *user, const char *why);
};

/*
 * Starts everything, runs the loop (so never call it from there) and returns when the X server
 * takes the application's windows; the viewer may still be on its way. `display_box` and
 * `viewer_box` are NULL where the plan has none; `shared_fd` is the directory `shared` of the
 * sandbox's tmpfs. All are borrowed, and `events` as well, until display_end().
 */
int display_start(const struct plan *plan, struct box *display_box, struct box *viewer_box,
		  int shared_fd, struct loop *loop, const struct display_events *events, void *user,
		  struct display **ret, struct error **err);

/* Start a viewer again, or end it and keep the windows. -EALREADY where that is so, -EOPNOTSUPP
 * where the display has no viewer of its own. */
int display_attach(struct display *d, struct error **err);
int display_detach(struct display *d, struct error **err);

/* Ends what runs on the host and frees. The boxes must be ended before the loop runs again. */
struct display *display_end(struct display *d);

static inline void display_endp(struct display **d)
{
	display_end(*d);
}
