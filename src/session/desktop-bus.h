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
#include "session/bus-log.h"

struct desktop_bus;

/* The address of the desktop's session bus as DBUS_SESSION_BUS_ADDRESS or, without that, the
 * run-time directory gives it: a socket at a plain path, which belongs to the user. NULL: there is
 * none. Owned by the caller. */
char *desktop_bus_find(void);

struct desktop_bus_events {
	box_lost_fn *lost;	 /* the proxy has ended by itself */
	bus_blocked_fn *blocked; /* a message that the rules do not let through */
};

/* `dir`: the directory of the socket, which the user can write; borrowed for the call. Waits until
 * the socket is there. Events are called from the loop. */
int desktop_bus_start(const struct plan_bus *plan, int dir, struct loop *loop,
		      const struct desktop_bus_events *events, void *user, struct desktop_bus **ret,
		      struct error **err);

/* The last events come before it returns. */
struct desktop_bus *desktop_bus_end(struct desktop_bus *b);
