#include "emit/policy-verdict.h"

#include <string.h>

static bool holds(const struct policy_condition *c, uint64_t arg)
{
	switch (c->how) {
	case POLICY_EQ:
		return arg == c->value;
	case POLICY_GT:
		return arg > c->value;
	case POLICY_LT:
		return arg < c->value;
	case POLICY_LOW:
		return (arg & UINT32_MAX) == c->value;
	case POLICY_BITS:
		return (arg & c->value) == c->value;
	case POLICY_OPERATOR_MAX:
		break;
	}
	return false;
}

static bool matches(const struct policy_rule *r, const char *name, const uint64_t args[POLICY_ARGS])
{
	if (strcmp(r->name, name))
		return false;
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (r->has_condition[i] && !holds(&r->conditions[i], args[i]))
			return false;
	return true;
}

struct policy_verdict policy_judge(const struct policy *p, const char *name,
				   const uint64_t args[POLICY_ARGS])
{
	int denied = 0, unknown = POLICY_ERRNO_OTHERS;
	bool allowed = false;

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct policy_rule *r = &p->rules[i];

		if (!matches(r, name, args))
			continue;
		allowed |= r->allow;
		if (r->allow)
			continue;
		if (p->answer == POLICY_ANSWER_KILL && r->error == POLICY_ERRNO)
			return (struct policy_verdict){ .kind = POLICY_KILLED };
		if (!denied)
			denied = r->error;
		if (!policy_rule_has_conditions(r))
			unknown = r->error;
	}
	if (!allowed)
		denied = unknown;
	return (struct policy_verdict){ denied ? POLICY_DENIED : POLICY_ALLOWED, denied };
}
