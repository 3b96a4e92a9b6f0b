#include "emit/watch.h"

#include <string.h>

#include "base/wire.h"

static bool condition_holds(const struct policy_condition *c, uint64_t value)
{
	switch (c->how) {
	case POLICY_EQ:
		return value == c->value;
	case POLICY_GT:
		return value > c->value;
	case POLICY_LT:
		return value < c->value;
	case POLICY_LOW:
		return (uint32_t)value == c->value;
	case POLICY_BITS:
		return (value & c->value) == c->value;
	default:
		return false;
	}
}

static bool rule_matches(const struct policy_rule *r, const struct seccomp_data *call)
{
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (r->has_condition[i] && !condition_holds(&r->conditions[i], call->args[i]))
			return false;
	return true;
}

/* As policy_judge() (emit/policy-verdict.h), which goes by names; and with the rule that decides.
 */
struct watch_decision watch_decide(const struct watch_policy *p, const struct seccomp_data *call)
{
	const struct watch_rule *allowed = NULL, *denied = NULL, *any = NULL;

	for (size_t i = 0; i < p->n && call->arch == p->arch; i++) {
		const struct watch_rule *r = &p->rules[i];
		bool conditional = policy_rule_has_conditions(&r->rule);

		if (r->number != (uint32_t)call->nr || !rule_matches(&r->rule, call))
			continue;
		if (r->rule.allow && !allowed)
			allowed = r;
		else if (!r->rule.allow && !conditional)
			denied = r;
		if (!r->rule.allow && !any)
			any = r;
	}
	if (!allowed && denied)
		return (struct watch_decision){ denied->rule.error, denied };
	if (!allowed)
		return (struct watch_decision){ ENOSYS, any };
	if (any)
		return (struct watch_decision){ any->rule.error, any };
	return (struct watch_decision){ 0, allowed };
}

const char *watch_name(const struct watch_policy *p, uint32_t number)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->rules[i].number == number)
			return p->rules[i].rule.name;
	return NULL;
}

unsigned watch_arguments(const struct watch_policy *p, uint32_t number)
{
	unsigned set = 0;

	for (size_t i = 0; i < p->n; i++)
		for (unsigned j = 0; j < POLICY_ARGS && p->rules[i].number == number; j++)
			set |= (unsigned)p->rules[i].rule.has_condition[j] << j;
	return set;
}

bool watch_never(const struct watch_policy *p, const struct seccomp_data *call)
{
	struct watch_decision d = watch_decide(p, call);
	bool known = false;

	/* What the policy denies of a call that it allows otherwise are the ways out: namespaces,
	 * terminals, families of sockets. */
	if (d.error && d.rule && policy_rule_has_conditions(&d.rule->rule))
		return true;
	for (size_t i = 0; i < p->n && call->arch == p->arch; i++) {
		if (p->rules[i].number != (uint32_t)call->nr)
			continue;
		if (p->rules[i].never)
			return true;
		known = true;
	}
	/* What it does not know may be anything. */
	return !known;
}

/* --- the file ---------------------------------------------------------------- */

void watch_policy_add(struct watch_policy *p, uint32_t number, const struct policy_rule *rule,
		      bool never, const char *origin)
{
	p->rules = xreallocarray(p->rules, p->n + 1, sizeof *p->rules);
	p->rules[p->n++] = (struct watch_rule){
		.number = number,
		.rule = *rule,
		.never = never,
		.origin = xstrdup(origin),
	};
	p->rules[p->n - 1].rule.file = NULL; /* lives as long as its policy */
}

int watch_policy_make(const struct policy *p, const void *numbers, size_t size,
		      struct watch_policy *ret, struct error **err)
{
	_cleanup_(watch_policy_release) struct watch_policy made = { 0 };
	struct wire w = wire_open(numbers, size);

	made.arch = wire_get_u32(&w);
	w.bad |= wire_get_u32(&w) != p->n_rules;
	for (size_t i = 0; i < p->n_rules && !w.bad; i++) {
		const struct policy_rule *r = &p->rules[i];
		const struct policy_set *set = policy_set_of_call(p, r->name);
		_cleanup_free_ char *origin = xasprintf("%.*s:%u", (int)WATCH_ORIGIN_MAX - 16,
							r->file, r->line);
		uint32_t number = wire_get_u32(&w);

		if (number <= WATCH_NUMBER_MAX)
			watch_policy_add(&made, number, r, set && set->never, origin);
	}
	if (!wire_end(&w))
		return error_set(err, EPROTO, "bad numbers of system calls");
	*ret = made;
	made = (struct watch_policy){ 0 };
	return 0;
}

static void put_rule(struct buf *b, const struct watch_rule *r)
{
	wire_put_u32(b, r->number);
	wire_put_string(b, r->rule.name);
	wire_put_string(b, r->origin);
	wire_put_u32(b, r->never);
	wire_put_u32(b, r->rule.allow);
	wire_put_u32(b, (uint32_t)r->rule.error);
	for (size_t i = 0; i < POLICY_ARGS; i++) {
		const struct policy_condition *c = &r->rule.conditions[i];

		wire_put_u32(b, r->rule.has_condition[i]);
		wire_put_u32(b, c->how);
		wire_put_u32(b, (uint32_t)c->value);
		wire_put_u32(b, (uint32_t)(c->value >> 32));
	}
}

static bool get_rule(struct wire *w, struct watch_policy *p)
{
	struct policy_rule rule = { 0 };
	uint32_t number = wire_get_u32(w);
	_cleanup_free_ char *name = wire_get_string(w), *origin = wire_get_string(w);
	bool never;

	never = wire_get_u32(w);
	rule.allow = wire_get_u32(w);
	rule.error = (int)wire_get_u32(w);
	for (size_t i = 0; i < POLICY_ARGS; i++) {
		struct policy_condition *c = &rule.conditions[i];

		rule.has_condition[i] = wire_get_u32(w);
		c->how = wire_get_u32(w);
		c->value = wire_get_u32(w);
		c->value |= (uint64_t)wire_get_u32(w) << 32;
		w->bad |= c->how >= POLICY_OPERATOR_MAX;
	}
	if (w->bad || !*name || number > WATCH_NUMBER_MAX || strlen(name) > POLICY_NAME_MAX ||
	    strlen(origin) > WATCH_ORIGIN_MAX || (rule.allow ? rule.error != 0 : rule.error <= 0))
		return false;
	memcpy(rule.name, name, strlen(name) + 1);
	watch_policy_add(p, number, &rule, never, origin);
	return true;
}

void watch_policy_write(const struct watch_policy *p, struct buf *ret)
{
	wire_put_u32(ret, p->arch);
	wire_put_u32(ret, (uint32_t)p->n);
	for (size_t i = 0; i < p->n; i++)
		put_rule(ret, &p->rules[i]);
}

int watch_policy_read(const void *data, size_t size, struct watch_policy *ret, struct error **err)
{
	_cleanup_(watch_policy_release) struct watch_policy p = { 0 };
	struct wire w = wire_open(data, size);
	uint32_t n;

	p.arch = wire_get_u32(&w);
	n = wire_get_u32(&w);
	w.bad |= n == 0 || n > POLICY_RULES_MAX;
	for (uint32_t i = 0; i < n && !w.bad; i++)
		w.bad |= !get_rule(&w, &p);
	if (!wire_end(&w))
		return error_set(err, EPROTO, "bad list of system calls");
	*ret = p;
	p = (struct watch_policy){ 0 };
	return 0;
}

void watch_policy_release(struct watch_policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		free(p->rules[i].origin);
	free(p->rules);
	*p = (struct watch_policy){ 0 };
}
