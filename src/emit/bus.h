#pragma once

/* The rules of xdg-dbus-proxy(1) of a plan. */

#include "plan/plan.h"

/* Its arguments after the address and the socket. What no rule names is not passed on, and not
 * seen. Owned by the caller. */
char **bus_rules_render(const struct plan_bus *b);
