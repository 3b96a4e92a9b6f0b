#pragma once

/*
 * A system call policy: rows that say which calls are allowed, and which arguments of these are
 * not. The text is read by emit/policy-read.h; vitrine-seccomp(7) describes it. A call that no rule
 * names answers ENOSYS, as a kernel without that call does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define POLICY_RULES_MAX    2048U
#define POLICY_ARGS	    6U
#define POLICY_NAME_MAX	    63U /* of a call, and of a set with its '@' */
#define POLICY_SETS_MAX	    64U
#define POLICY_DEFAULT	    "gui"
#define POLICY_ERRNO	    EPERM /* of a `deny` that names none */
#define POLICY_ERRNO_OTHERS ENOSYS

enum policy_operator {
	POLICY_EQ,
	POLICY_GT,
	POLICY_LT,
	POLICY_LOW,  /* equal in the low 32 bits, for what the kernel takes as an int */
	POLICY_BITS, /* all bits of the value are set */
	POLICY_OPERATOR_MAX,
};

/* What happens at a call that a rule denies with POLICY_ERRNO. Other errors are what programs have
 * an answer to. */
enum policy_answer {
	POLICY_ANSWER_ERRNO,
	POLICY_ANSWER_KILL, /* the whole process */
	POLICY_ANSWER_LOG,  /* an error, and every error leaves a line in the kernel's log */
	POLICY_ANSWER_MAX,
};

struct policy_condition {
	enum policy_operator how;
	uint64_t value;
};

struct policy_rule {
	char name[POLICY_NAME_MAX + 1];
	bool allow;
	bool optional; /* this libseccomp may not know the name */
	int error;     /* a positive errno value; deny only */
	bool has_condition[POLICY_ARGS];
	struct policy_condition conditions[POLICY_ARGS];
	const char *file; /* where it was said; of the policy */
	unsigned line;
};

struct policy_set {
	char name[POLICY_NAME_MAX + 1]; /* with its '@' */
	bool never;			/* no profile can allow what is in it */
	struct policy_rule *rules;
	size_t n_rules;
	unsigned line;
};

struct policy {
	struct policy_rule *rules;
	size_t n_rules;
	struct policy_set *sets; /* what rules can be taken from */
	size_t n_sets;
	enum policy_answer answer;
	bool i386;    /* the calls of 32-bit programs too */
	char **files; /* names, for messages */
};

bool policy_rule_has_conditions(const struct policy_rule *r);
bool policy_rule_same_conditions(const struct policy_rule *a, const struct policy_rule *b);

/* One more rule: refused when another one decides the same. */
int policy_add_rule(struct policy *p, const struct policy_rule *r, struct error **err);

/* Is there anything that the call may do? */
bool policy_allows_call(const struct policy *p, const char *name);

/* All rules of this call go. */
void policy_remove_call(struct policy *p, const char *name);

/* Of a set: all rules, or each of its calls denied. */
int policy_use_set(struct policy *p, const struct policy_set *set, struct error **err);
int policy_deny_set(struct policy *p, const struct policy_set *set, int error, struct error **err);

/* `name` begins with '@'; NULL and an error with a suggestion where there is none. */
const struct policy_set *policy_find_set(const struct policy *p, const char *name,
					 struct error **err);

/* The set that names the call, and not only for its arguments; NULL: none does. */
const struct policy_set *policy_set_of_call(const struct policy *p, const char *name);

struct policy *policy_free(struct policy *p);

static inline void policy_freep(struct policy **p)
{
	policy_free(*p);
}
