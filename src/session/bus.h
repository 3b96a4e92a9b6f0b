#pragma once

/*
 * A D-Bus session bus of the sandbox's own, dbus-daemon(1) in the app box: for applications of
 * which a second instance hands its files to the first. It has no way to the desktop's bus.
 */

#include "base/loop.h"
#include "box/box.h"

struct bus;

/* Inside: unix:path=/run/user/UID/bus; the plan sets DBUS_SESSION_BUS_ADDRESS. Waits until it
 * answers. `lost` is called from the loop, at most once, when it ends by itself. After an error the
 * box must be ended: its dbus-daemon may still run. */
int bus_start(struct box *app, const struct plan *plan, struct loop *loop, box_lost_fn *lost,
	      void *user, struct bus **ret, struct error **err);

/* dbus-daemon itself ends with its box. The loop must not run between the two: the box would tell
 * us of that end. */
struct bus *bus_end(struct bus *b);

static inline void bus_endp(struct bus **b)
{
	bus_end(*b);
}
