#pragma once

/*
 * What a plan is made of comes from outside: the password database, the environment, the command
 * line, the caller. Here it is refused or known to be fit for every file and path it goes into.
 */

#include "plan/plan.h"

int check_host(const struct host_facts *host, struct error **err);
int check_desktop(const struct host_facts *host, uint32_t display_number, struct error **err);
int check_inputs(const struct plan_inputs *in, struct error **err);
/* Home= and Kept=, with each other and with all else. */
int check_home(const struct profile *p, const struct host_facts *host, const struct plan_inputs *in,
	       struct error **err);

/* Where the profile's paths are seen inside: each at a place of its own, which hides nothing that a
 * box lives on. */
int check_grants(const struct plan_inputs *in, const char *home, struct error **err);

int check_box_inputs(const struct plan_inputs *in, enum box_kind kind, struct error **err);
int plan_check_program(const char *program, struct error **err);
