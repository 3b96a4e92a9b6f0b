#pragma once

/* Where the application can write, as a walk sees it (box/walk.h). Pure. */

#include "box/walk.h"
#include "plan/plan.h"

/* The bases of such a walk. */
enum {
	PLACES_TREE, /* the sandbox's tmpfs */
	PLACES_KEPT, /* plan_inputs.kept_dir */
};

/* Adds the roots of the plan's app box: its home and what is kept; with `temporary` /tmp and
 * /var/tmp as well; of a writable root the upper layer. And the layers below that, and what the
 * start has made. */
void places_add(struct walk_order *o, const struct plan *p, bool temporary);

/* Is there something that files are compared with, or does all of it begin empty? */
bool places_begin_empty(const struct plan *p);
