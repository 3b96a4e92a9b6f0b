#pragma once

/* How one box of a plan is filled, after what concerns the whole sandbox is decided. */

#include "plan/plan.h"

/* Fills plan->boxes[kind] from the tables. Nothing is refused here: the facts were checked. */
void plan_box(struct plan *plan, enum box_kind kind, const struct profile *p,
	      const struct host_facts *host, const struct plan_inputs *in);
