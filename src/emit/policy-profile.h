#pragma once

/* A named policy and what a profile adds to it ([Seccomp]): one policy. */

#include "emit/policy.h"
#include "profile/profile.h"

/*
 * Changes `p`, which is the policy that the profile names, with its sets. Allow= first, then Deny=,
 * which wins. Refused, with the key in the message: what no set names, what is in a set marked
 * `never`, and arguments that the policy itself denies.
 */
int policy_apply(struct policy *p, const struct profile *profile, struct error **err);

/* Does the profile change what its policy says? Otherwise the compiled one is good. */
bool policy_is_changed(const struct profile *profile);

/* The policies that a box can have; others are parts of them, or for a program of our own.
 * NULL-terminated. */
extern const char *const policy_names[];

/* Is this one of them? */
int policy_check_name(const char *name, struct error **err);
