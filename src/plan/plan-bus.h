#pragma once

/* Which names of the desktop's session bus may be given to an application, and the part of the plan
 * that does it. Pure. */

#include "plan/plan.h"

/* Does the profile give anything of the desktop's bus? */
bool profile_uses_bus(const struct profile *p);

/* May a profile give this value of Talk, Own, Call or Broadcast at all? -EPERM and why not. */
int check_bus_value(const struct profile *p, const char *key, const char *value,
		    struct error **err);

/* Refuses names of services that do for any caller what the sandbox is there to prevent. */
int check_bus(const struct profile *p, const struct host_facts *host, struct error **err);

void plan_bus(struct plan *plan, const struct profile *p, const struct host_facts *host);
void plan_bus_release(struct plan_bus *b);
