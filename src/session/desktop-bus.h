#pragma once

/*
 * A filtered way to the desktop's session bus: xdg-dbus-proxy(1), which runs outside with the
 * user's rights. The application sees its socket alone, in a directory of the sandbox's tmpfs, and
 * through it only what the plan's rules name. For the desktop the messages come from a program of
 * the user's: that is why names whose services do anything for such programs are never given
 * (plan/plan-bus.h).
 */

#include "base/loop.h"
#include "box/box.h"

struct desktop_bus;

/* The address of the desktop's session bus as DBUS_SESSION_BUS_ADDRESS or, without that, the
 * run-time directory gives it: a socket at a plain path, which belongs to the user. NULL: there is
 * none. Owned by the caller. */
char *desktop_bus_find(void);

/* `dir`: the directory of the socket, which the user can write; borrowed for the call. Waits until
 * the socket is there. `lost` is called from the loop when the proxy ends by itself. */
int desktop_bus_start(const struct plan_bus *plan, int dir, struct loop *loop, box_lost_fn *lost,
		      void *user, struct desktop_bus **ret, struct error **err);

struct desktop_bus *desktop_bus_end(struct desktop_bus *b);
