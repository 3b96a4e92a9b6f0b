#include "session/display-driver.h"

/* The application gets no display at all. */

static int none_start(struct display *d, struct error **err)
{
	(void)err;
	display_settle(d);
	return 0;
}

static void none_end(struct display *d)
{
	(void)d;
}

const struct display_driver display_none = {
	.size = sizeof(struct display),
	.start = none_start,
	.end = none_end,
};
