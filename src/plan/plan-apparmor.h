#pragma once

/* Which AppArmor profile a box gets. */

#include "plan/plan.h"

/* Fills plan->boxes[].floor. A kernel that has AppArmor confines every box, or there is none. On
 * one that has not, the profile decides: it is refused, or said (plan->notes). */
int plan_apparmor(struct plan *plan, const struct profile *p, const struct host_facts *host,
		  struct error **err);
