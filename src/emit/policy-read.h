#pragma once

/*
 * The text of a policy, read into rows. One statement per line, `#` starts a comment line:
 *
 *   allow NAME...  [optional]
 *   allow NAME argN OP VALUE...  [optional]
 *   deny NAME...  [errno NAME] [optional]
 *   deny NAME argN OP VALUE...  [errno NAME] [optional]
 *   set @NAME [never]
 *   end
 *   use @NAME
 *   deny @NAME  [errno NAME]
 *   include NAME
 *   answer errno|kill|log
 *   abi native|i386
 *
 * Rules between `set` and `end` make a set, and hold only where it is used. `deny @NAME` denies
 * each call of a set. What is included is NAME.policy.
 *
 * OP is one of eq, gt, lt (all 64 bits), low (equal in the low 32 bits) and bits (all bits of VALUE
 * are set).
 */

#include "emit/policy.h"

#define POLICY_FILE_MAX	    (1U << 20)
#define POLICY_LINE_MAX	    256U
#define POLICY_DEPTH_MAX    4U	/* of files that include files */
#define POLICY_INCLUDES_MAX 16U /* files that one policy is made of */

/* Where other files come from: the text of NAME.policy, owned by the caller. */
struct policy_files {
	int (*read)(void *user, const char *name, char **ret, size_t *ret_size, struct error **err);
	void *user;
};

/* Refuses duplicates, contradictions, and a policy without rules. Without `files` every `include`
 * is refused. */
int policy_read(const char *text, size_t size, const char *file, const struct policy_files *files,
		struct policy **ret, struct error **err);

/* One rule as it stands behind `allow` or `deny`: what a profile adds. A name that begins with '@'
 * stands alone, and is left to the caller. */
int policy_read_rule(const char *text, bool allow, struct policy_rule *ret, struct error **err);

const char *policy_operator_to_string(enum policy_operator o);
const char *policy_answer_to_string(enum policy_answer a);
int policy_answer_from_string(const char *word, enum policy_answer *ret);

/* The names of errors that a rule can give; NULL for others. */
const char *policy_errno_to_string(int error);
