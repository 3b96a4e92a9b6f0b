#pragma once

/* A policy as text again, without sets and includes: what it says is in that text alone, so it is
 * what is compiled, and what a compiled policy is named by. policy_read() of it gives the same. */

#include "emit/policy.h"

/* One line without its end, as it stands in a policy. */
char *policy_rule_text(const struct policy_rule *r);

/* Owned by the caller. */
char *policy_render(const struct policy *p);
