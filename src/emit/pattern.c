#include "emit/pattern.h"

#include <string.h>

#define BITS 64U

static void add(struct patterns *list, const struct pattern *p)
{
	if (list->too_many)
		return;
	if (list->n == PATTERNS_MAX) {
		list->too_many = true;
		list->n = 0;
		return;
	}
	/* Twice as many each time that it is full. */
	if (!(list->n & (list->n - 1)))
		list->items = xreallocarray(list->items, list->n ? 2 * list->n : 1,
					    sizeof *list->items);
	list->items[list->n++] = *p;
}

void patterns_release(struct patterns *p)
{
	free(p->items);
	*p = (struct patterns){ 0 };
}

static bool overlap(const struct pattern *a, const struct pattern *b)
{
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if ((a->value[i] ^ b->value[i]) & a->mask[i] & b->mask[i])
			return false;
	return true;
}

/* What is in `a` and not in `b`: one pattern for each bit that only `b` fixes, with that bit the
 * other way. The highest bits go first, so that numbers that are near each other share patterns. */
static void add_rest(struct patterns *out, const struct pattern *a, const struct pattern *b)
{
	struct pattern rest = *a;

	for (size_t i = 0; i < POLICY_ARGS; i++)
		for (unsigned bit = BITS; bit-- > 0;) {
			uint64_t one = UINT64_C(1) << bit;

			if (!(b->mask[i] & one) || (rest.mask[i] & one))
				continue;
			rest.mask[i] |= one;
			rest.value[i] |= ~b->value[i] & one;
			add(out, &rest);
			rest.value[i] ^= one;
		}
}

/* Takes `b` out of the list. */
static void subtract(struct patterns *list, const struct pattern *b)
{
	struct patterns out = { .too_many = list->too_many };

	for (size_t i = 0; i < list->n; i++) {
		if (overlap(&list->items[i], b))
			add_rest(&out, &list->items[i], b);
		else
			add(&out, &list->items[i]);
	}
	patterns_release(list);
	*list = out;
}

/* The ranges above or below a number, each a pattern of its highest bits. */
static void add_ranges(struct patterns *out, const struct pattern *base, size_t argument,
		       const struct policy_condition *c)
{
	for (unsigned bit = 0; bit < BITS; bit++) {
		uint64_t one = UINT64_C(1) << bit;
		struct pattern p = *base;

		if (!(c->value & one) != (c->how == POLICY_GT))
			continue;
		p.mask[argument] = -one;
		p.value[argument] = (c->value ^ one) & -one;
		add(out, &p);
	}
}

/* `base` with one more condition. */
static void add_condition(struct patterns *out, const struct pattern *base, size_t argument,
			  const struct policy_condition *c)
{
	const uint64_t masks[] = {
		[POLICY_EQ] = UINT64_MAX,
		[POLICY_LOW] = UINT32_MAX,
		[POLICY_BITS] = c->value,
	};
	struct pattern p = *base;

	if (c->how == POLICY_GT || c->how == POLICY_LT) {
		add_ranges(out, base, argument, c);
		return;
	}
	p.mask[argument] = masks[c->how];
	p.value[argument] = c->value;
	add(out, &p);
}

/* All arguments that a rule is about. */
static void of_rule(const struct policy_rule *r, struct patterns *ret)
{
	static const struct pattern everything = { 0 };

	add(ret, &everything);
	for (size_t i = 0; i < POLICY_ARGS; i++) {
		struct patterns narrower = { .too_many = ret->too_many };

		if (!r->has_condition[i])
			continue;
		for (size_t j = 0; j < ret->n; j++)
			add_condition(&narrower, &ret->items[j], i, &r->conditions[i]);
		patterns_release(ret);
		*ret = narrower;
	}
}

static void subtract_rule(struct patterns *list, const struct policy_rule *r)
{
	struct patterns denied = { 0 };

	of_rule(r, &denied);
	if (denied.too_many)
		list->too_many = true;
	for (size_t i = 0; i < denied.n; i++)
		subtract(list, &denied.items[i]);
	patterns_release(&denied);
}

/* Only what is not there yet. */
static void add_rule(struct patterns *list, const struct policy_rule *r)
{
	struct patterns more = { 0 };
	size_t n = list->n;

	of_rule(r, &more);
	for (size_t i = 0; i < n; i++)
		subtract(&more, &list->items[i]);
	for (size_t i = 0; i < more.n; i++)
		add(list, &more.items[i]);
	if (more.too_many)
		list->too_many = true;
	patterns_release(&more);
}

static bool is_of(const struct policy_rule *r, const char *name, bool allow)
{
	return r->allow == allow && !strcmp(r->name, name);
}

/* Too many to write down is none. */
static void settle(struct patterns *list)
{
	if (list->too_many)
		list->n = 0;
}

void patterns_allowed(const struct policy *p, const char *name, struct patterns *ret)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (is_of(&p->rules[i], name, true))
			add_rule(ret, &p->rules[i]);
	for (size_t i = 0; i < p->n_rules; i++)
		if (is_of(&p->rules[i], name, false))
			subtract_rule(ret, &p->rules[i]);
	settle(ret);
}

/* Of two rules that deny the first one counts. */
void patterns_denied(const struct policy *p, const char *name, int error, struct patterns *ret)
{
	struct patterns before = { 0 };

	for (size_t i = 0; i < p->n_rules; i++) {
		struct patterns own = { 0 };

		if (!is_of(&p->rules[i], name, false))
			continue;
		of_rule(&p->rules[i], &own);
		for (size_t j = 0; j < before.n; j++)
			subtract(&own, &before.items[j]);
		for (size_t j = 0; j < own.n; j++) {
			add(&before, &own.items[j]);
			if (p->rules[i].error == error)
				add(ret, &own.items[j]);
		}
		if (own.too_many || before.too_many)
			ret->too_many = true;
		patterns_release(&own);
	}
	patterns_release(&before);
	settle(ret);
}
