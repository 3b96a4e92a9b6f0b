#pragma once

/*
 * The text of a system call policy, read into rows. One rule per line, `#` starts a comment line:
 *
 *   allow NAME [argN OP VALUE]... [optional]
 *   deny NAME [argN OP VALUE]... [errno NAME] [optional]
 *
 * OP is one of eq, gt, lt (all 64 bits), low (equal in the low 32 bits, for what the kernel takes
 * as an int) and bits (all bits of VALUE are set). `optional` is for names that this libseccomp may
 * not know. What no rule names answers ENOSYS, as a kernel without that call does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define POLICY_FILE_MAX	 (1U << 20)
#define POLICY_LINE_MAX	 256U
#define POLICY_RULES_MAX 2048U
#define POLICY_ARGS	 6U
#define POLICY_NAME_MAX	 63U
#define POLICY_ERRNO	 EPERM /* of a `deny` that names none */

enum policy_operator {
	POLICY_EQ,
	POLICY_GT,
	POLICY_LT,
	POLICY_LOW,
	POLICY_BITS,
	POLICY_OPERATOR_MAX,
};

struct policy_condition {
	enum policy_operator how;
	uint64_t value;
};

struct policy_rule {
	char name[POLICY_NAME_MAX + 1];
	bool allow;
	bool optional;
	int error; /* a positive errno value; deny only */
	bool has_condition[POLICY_ARGS];
	struct policy_condition conditions[POLICY_ARGS];
	unsigned line;
};

struct policy {
	struct policy_rule *rules;
	size_t n_rules;
};

/* Refuses duplicates, contradictions, and a file without rules. */
int policy_read(const char *text, size_t size, const char *file, struct policy **ret,
		struct error **err);
bool policy_rule_has_conditions(const struct policy_rule *r);

struct policy *policy_free(struct policy *p);

static inline void policy_freep(struct policy **p)
{
	policy_free(*p);
}
