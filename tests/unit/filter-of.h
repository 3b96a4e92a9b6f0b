#pragma once

/* A policy with its compiled filter, for all three ABIs: what it says, and what the filter does. */

#include "bpf.h"
#include "emit/policy-verdict.h"
#include "emit/seccomp.h"
#include "truth.h"

struct filter_of {
	struct policy *native, *i386;
	struct buf file;
	struct filter filter;
};

/* From a profile's text, over the policies that are shipped. */
int filter_of_profile(const char *text, const char *policies, struct filter_of *ret,
		      struct error **err);

/* Takes the policy over, also after an error. */
int filter_of_policy(struct policy *p, struct filter_of *ret, struct error **err);
void filter_of_release(struct filter_of *f);

#define CALLS_MAX 600 /* beyond the last call of any ABI here */

/* The number of a call in an ABI, -1: it has none; and its name, or NULL. */
int64_t call_number(enum truth_abi abi, const char *name);
char *call_name(enum truth_abi abi, int64_t number);

/* What the filter answers. */
struct policy_verdict filter_answer(const struct filter_of *f, enum truth_abi abi, int64_t number,
				    const uint64_t args[POLICY_ARGS]);

/* What the policy means: x32, and an ABI that is not let in, answers ENOSYS. */
struct policy_verdict filter_meant(const struct filter_of *f, enum truth_abi abi, const char *name,
				   const uint64_t args[POLICY_ARGS]);
