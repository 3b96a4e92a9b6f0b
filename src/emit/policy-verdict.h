#pragma once

/* What a policy says to one call: the meaning of the rules, in a few lines that know neither
 * libseccomp nor BPF. Compiled filters and texts for liblxc are compared with it. */

#include "emit/policy.h"

enum policy_verdict_kind {
	POLICY_ALLOWED,
	POLICY_DENIED,
	POLICY_KILLED,
};

struct policy_verdict {
	enum policy_verdict_kind kind;
	int error; /* POLICY_DENIED: what the call returns; where several rules deny, of the first
		    */
};

/* For i386 `p` is what policy_for_i386() made; arguments are those of the ABI. */
struct policy_verdict policy_judge(const struct policy *p, const char *name,
				   const uint64_t args[POLICY_ARGS]);
