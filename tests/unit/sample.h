#pragma once

/* A user, a host and reserved places, from which tests make plans. */

#include "plan/plan.h"

extern const struct host_facts sample_host;
extern const struct plan_inputs sample_inputs;
extern const struct plan_inputs sample_inputs_with_grants;
extern const struct run_request as_profile; /* nothing asked for on the command line */

/* From the text of a profile. */
int sample_plan(const char *profile, const char *name, const struct run_request *q,
		const struct host_facts *host, const struct plan_inputs *in, struct plan **ret,
		struct error **err);

/* The LXC configuration of a box of the plan, with the fragments of the directory. */
int sample_config(const struct plan *p, enum box_kind kind, const char *fragments, char **ret,
		  struct error **err);
