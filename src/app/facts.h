#pragma once

/* Facts of this user and this host that a plan depends on. */

#include "plan/plan.h"
#include "session/delegation.h"

struct facts {
	struct host_facts host; /* points into the strings below */
	char *user;
	char *home;
	char *time_zone;
	char *host_name;
	char *desktop_bus;
	struct delegation delegation;
};

/* Home and name come from the password database, never from the environment. */
int facts_gather(struct facts *ret, struct error **err);
void facts_release(struct facts *f);
