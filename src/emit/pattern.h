#pragma once

/* Sets of arguments as lists of patterns: bits that are fixed, in each of the arguments. Whatever
 * the rules of a policy say of a call can be written so, and patterns of one list do not overlap.
 */

#include "emit/policy.h"

#define PATTERNS_MAX 4096U /* of one list */

struct pattern {
	uint64_t mask[POLICY_ARGS]; /* which bits are fixed */
	uint64_t value[POLICY_ARGS];
};

struct patterns {
	struct pattern *items;
	size_t n;
	bool too_many; /* then the list is empty */
};

/* What the policy allows of the call, and what it denies with this error; { 0 } before. */
void patterns_allowed(const struct policy *p, const char *name, struct patterns *ret);
void patterns_denied(const struct policy *p, const char *name, int error, struct patterns *ret);

void patterns_release(struct patterns *p);
