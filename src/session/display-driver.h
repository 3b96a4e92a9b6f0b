#pragma once

/* What the drivers of session/display.h share. Not for others. */

#include <stdbool.h>

#include "session/display.h"

struct display {
	const struct display_driver *driver;
	const struct plan *plan;
	struct box *display_box, *viewer_box;
	int shared;
	struct loop *loop;
	const struct display_events *events;
	void *user;

	bool settled;	       /* ready or failed: display_start() may return */
	struct error *failure; /* of the start */
	bool started;	       /* display_start() has returned: from now on events are told */
};

struct display_driver {
	size_t size; /* of the driver's own struct, whose first member is a struct display */
	/* Begins; display_settle() or display_fail() is to follow from the loop, if not at once. */
	int (*start)(struct display *d, struct error **err);
	/* What is missing, for the message when it takes too long. May be NULL. */
	const char *(*waiting_for)(const struct display *d);
	int (*attach)(struct display *d, struct error **err); /* both NULL: no viewer of its own */
	int (*detach)(struct display *d, struct error **err);
	void (*end)(struct display *d);
};

extern const struct display_driver display_xpra, display_xephyr, display_none;

void display_settle(struct display *d);
void display_fail(struct display *d, const char *why);	      /* the display is gone */
void display_fail_viewer(struct display *d, const char *why); /* only its viewer */
