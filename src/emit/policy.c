#include "emit/policy.h"

#include <string.h>

#include "base/strv.h"
#include "base/text.h"

#define QUOTE_MAX 64 /* bytes of a word that a message shows */

bool policy_rule_has_conditions(const struct policy_rule *r)
{
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (r->has_condition[i])
			return true;
	return false;
}

bool policy_rule_same_conditions(const struct policy_rule *a, const struct policy_rule *b)
{
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (a->has_condition[i] != b->has_condition[i] ||
		    a->conditions[i].how != b->conditions[i].how ||
		    a->conditions[i].value != b->conditions[i].value)
			return false;
	return true;
}

static bool denies_all(const struct policy_rule *r)
{
	return !r->allow && !policy_rule_has_conditions(r);
}

/* Two rules of one call that say the same or the opposite; or where one says all, and the other a
 * part of it. Exceptions from `allow NAME` are what `deny NAME argN ...` is for. */
static bool clashes(const struct policy_rule *a, const struct policy_rule *b)
{
	bool all = !policy_rule_has_conditions(a) || !policy_rule_has_conditions(b);

	if (strcmp(a->name, b->name))
		return false;
	return policy_rule_same_conditions(a, b) || (all && a->allow == b->allow) ||
	       denies_all(a) || denies_all(b);
}

int policy_add_rule(struct policy *p, const struct policy_rule *r, struct error **err)
{
	if (p->n_rules == POLICY_RULES_MAX)
		return error_set(err, E2BIG, "more than %u rules", POLICY_RULES_MAX);
	for (size_t i = 0; i < p->n_rules; i++)
		if (clashes(&p->rules[i], r))
			return error_set(err, EEXIST, "'%s' was decided in %s:%u", r->name,
					 p->rules[i].file, p->rules[i].line);
	p->rules = xreallocarray(p->rules, p->n_rules + 1, sizeof *p->rules);
	p->rules[p->n_rules++] = *r;
	return 0;
}

bool policy_allows_call(const struct policy *p, const char *name)
{
	bool allowed = false;

	for (size_t i = 0; i < p->n_rules; i++) {
		const struct policy_rule *r = &p->rules[i];

		if (strcmp(r->name, name))
			continue;
		if (!r->allow && !policy_rule_has_conditions(r))
			return false;
		allowed |= r->allow;
	}
	return allowed;
}

void policy_remove_call(struct policy *p, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n_rules; i++)
		if (strcmp(p->rules[i].name, name))
			p->rules[kept++] = p->rules[i];
	p->n_rules = kept;
}

int policy_use_set(struct policy *p, const struct policy_set *set, struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < set->n_rules && r >= 0; i++)
		r = policy_add_rule(p, &set->rules[i], err);
	return r;
}

static bool is_first_of_call(const struct policy_set *set, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (!strcmp(set->rules[i].name, set->rules[j].name))
			return false;
	return true;
}

int policy_deny_set(struct policy *p, const struct policy_set *set, int error, struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < set->n_rules && r >= 0; i++) {
		struct policy_rule rule = {
			.error = error,
			.optional = set->rules[i].optional,
			.file = set->rules[i].file,
			.line = set->rules[i].line,
		};

		if (!is_first_of_call(set, i))
			continue;
		memcpy(rule.name, set->rules[i].name, sizeof rule.name);
		r = policy_add_rule(p, &rule, err);
	}
	return r;
}

const struct policy_set *policy_find_set(const struct policy *p, const char *name,
					 struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *shown = text_escape(name, QUOTE_MAX);
	const char *near;

	for (size_t i = 0; i < p->n_sets; i++) {
		if (!strcmp(p->sets[i].name, name))
			return &p->sets[i];
		strv_add(&names, p->sets[i].name);
	}
	near = text_suggest(name, names);
	if (near)
		error_set(err, ENOENT, "no set '%s'; is '%s' meant?", shown, near);
	else
		error_set(err, ENOENT, "no set '%s'", shown);
	return NULL;
}

static bool names_call(const struct policy_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_rules; i++) {
		const struct policy_rule *r = &set->rules[i];

		if (!strcmp(r->name, name) && (r->allow || !policy_rule_has_conditions(r)))
			return true;
	}
	return false;
}

const struct policy_set *policy_set_of_call(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_sets; i++)
		if (names_call(&p->sets[i], name))
			return &p->sets[i];
	return NULL;
}

struct policy *policy_free(struct policy *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->n_sets; i++)
		free(p->sets[i].rules);
	free(p->sets);
	free(p->rules);
	strv_free(p->files);
	free(p);
	return NULL;
}
