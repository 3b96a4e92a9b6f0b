#pragma once

/* The plan that a run of a profile would have on this machine, for those who want to read it.
 * Nothing is reserved and nothing started; what a run draws is a sample, and said. */

#include "app/facts.h"
#include "profile/profile.h"

/* *ret_notes: a sentence for each thing that a run would have otherwise; owned by the caller, may
 * be NULL. Refused is what a run would refuse, too. */
int view_plan_make(const struct profile *p, const struct facts *facts, struct plan **ret,
		   char ***ret_notes, struct error **err);

/* The same for what a profile gives away, on a machine that has all that it needs: images, a
 * desktop, what it demands by Required= or Viewer=host. The paths that it gives are not opened. */
int view_rights_make(const struct profile *p, const struct facts *facts, struct plan **ret,
		     struct error **err);
