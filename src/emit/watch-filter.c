#include <fcntl.h>
#include <linux/filter.h>
#include <stddef.h>
#include <string.h>

#include "emit/watch.h"

/* Jump targets until a rule is complete: behind its last instruction. */
#define NEXT 255U

#define LOW(i)	(uint32_t)(offsetof(struct seccomp_data, args) + 8 * (i))
#define HIGH(i) (LOW(i) + 4)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lower half comes first");

#define WHEN(i, op, number)                   \
	{ [i] = true },                       \
	{                                     \
		[i] = { POLICY_##op, number } \
	}
#define ALWAYS                       \
	{ false },                   \
	{                            \
		{                    \
			POLICY_EQ, 0 \
		}                    \
	}

/* What shows what an application needs, though it is allowed. */
static const struct {
	const char *name;
	bool has[POLICY_ARGS];
	struct policy_condition conditions[POLICY_ARGS];
} shown[] = {
	/* clang-format off */
	{ "connect", ALWAYS },
	{ "sendto", WHEN(4, GT, 0) },
	{ "execve", ALWAYS },
	{ "execveat", ALWAYS },
	{ "creat", ALWAYS },
	{ "open", WHEN(1, BITS, O_WRONLY) },
	{ "open", WHEN(1, BITS, O_RDWR) },
	{ "open", WHEN(1, BITS, O_CREAT) },
	{ "openat", WHEN(2, BITS, O_WRONLY) },
	{ "openat", WHEN(2, BITS, O_RDWR) },
	{ "openat", WHEN(2, BITS, O_CREAT) },
	/* clang-format on */
};

struct program {
	struct sock_filter code[BPF_MAXINSNS];
	uint32_t n;
	bool full;
};

static void put(struct program *p, uint16_t code, uint32_t k, uint8_t jt, uint8_t jf)
{
	p->full |= p->n == BPF_MAXINSNS;
	if (!p->full)
		p->code[p->n++] = (struct sock_filter){ code, jt, jf, k };
}

static void load(struct program *p, uint32_t offset)
{
	put(p, BPF_LD | BPF_W | BPF_ABS, offset, 0, 0);
}

static void jump(struct program *p, uint16_t how, uint32_t k, uint8_t jt, uint8_t jf)
{
	put(p, BPF_JMP | BPF_K | how, k, jt, jf);
}

static void answer(struct program *p, uint32_t action)
{
	put(p, BPF_RET | BPF_K, action, 0, 0);
}

static void put_bits(struct program *p, uint32_t offset, uint32_t bits)
{
	if (!bits)
		return;
	load(p, offset);
	put(p, BPF_ALU | BPF_AND | BPF_K, bits, 0, 0);
	jump(p, BPF_JEQ, bits, 0, NEXT);
}

/* Goes on behind where the condition holds, and to NEXT where it does not. */
static void put_condition(struct program *p, unsigned i, const struct policy_condition *c)
{
	uint32_t low = (uint32_t)c->value, high = (uint32_t)(c->value >> 32);

	if (c->how == POLICY_BITS) {
		put_bits(p, LOW(i), low);
		put_bits(p, HIGH(i), high);
		return;
	}
	if (c->how != POLICY_LOW)
		load(p, HIGH(i));
	if (c->how == POLICY_GT)
		jump(p, BPF_JGT, high, 3, 0);
	if (c->how == POLICY_LT)
		jump(p, BPF_JGE, high, 0, 3);
	if (c->how != POLICY_LOW)
		jump(p, BPF_JEQ, high, 0, NEXT);
	load(p, LOW(i));
	if (c->how == POLICY_GT)
		jump(p, BPF_JGT, low, 0, NEXT);
	else if (c->how == POLICY_LT)
		jump(p, BPF_JGE, low, NEXT, 0);
	else
		jump(p, BPF_JEQ, low, 0, NEXT);
}

/* The answer, where all conditions hold. */
static void put_rule(struct program *p, const bool has[POLICY_ARGS],
		     const struct policy_condition *conditions, uint32_t action)
{
	uint32_t begin = p->n;

	for (unsigned i = 0; i < POLICY_ARGS; i++)
		if (has[i])
			put_condition(p, i, &conditions[i]);
	answer(p, action);
	for (uint32_t at = begin; at < p->n; at++) {
		struct sock_filter *s = &p->code[at];

		if (BPF_CLASS(s->code) != BPF_JMP)
			continue;
		s->jt = s->jt == NEXT ? (uint8_t)(p->n - at - 1) : s->jt;
		s->jf = s->jf == NEXT ? (uint8_t)(p->n - at - 1) : s->jf;
	}
}

/* --- calls ------------------------------------------------------------------- */

struct call {
	const struct watch_policy *policy;
	uint32_t number;
	bool allowed, denied; /* as a whole */
	bool by_argument;
	bool shown;
};

static struct call look_at(const struct watch_policy *p, enum watch_mode mode, uint32_t number)
{
	struct call c = { .policy = p, .number = number };

	for (size_t i = 0; i < p->n; i++) {
		const struct policy_rule *r = &p->rules[i].rule;

		if (p->rules[i].number != number)
			continue;
		if (policy_rule_has_conditions(r))
			c.by_argument = true;
		else if (r->allow)
			c.allowed = true;
		else
			c.denied = true;
		for (size_t j = 0; j < ARRAY_SIZE(shown) && mode == WATCH_LEARN; j++)
			c.shown |= !strcmp(shown[j].name, r->name);
	}
	return c;
}

static void put_rules(struct program *program, const struct call *c, bool allow)
{
	for (size_t i = 0; i < c->policy->n; i++) {
		const struct policy_rule *r = &c->policy->rules[i].rule;

		if (c->policy->rules[i].number == c->number && policy_rule_has_conditions(r) &&
		    r->allow == allow)
			put_rule(program, r->has_condition, r->conditions,
				 allow ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF);
	}
}

static void put_shown(struct program *program, const struct call *c)
{
	const char *name = watch_name(c->policy, c->number);

	for (size_t i = 0; i < ARRAY_SIZE(shown) && c->shown; i++)
		if (!strcmp(shown[i].name, name))
			put_rule(program, shown[i].has, shown[i].conditions,
				 SECCOMP_RET_USER_NOTIF);
}

/* Everything about one call, behind the comparison of its number. */
static void put_call(struct program *program, const struct call *c)
{
	uint32_t begin;

	jump(program, BPF_JEQ, c->number, 1, 0);
	begin = program->n;
	jump(program, BPF_JA, 0, 0, 0);
	put_shown(program, c);
	put_rules(program, c, false);
	if (!c->denied && !c->allowed)
		put_rules(program, c, true);
	answer(program, c->allowed && !c->denied ? SECCOMP_RET_ALLOW : SECCOMP_RET_USER_NOTIF);
	if (!program->full)
		program->code[begin].k = program->n - begin - 1;
}

static void put_range(struct program *p, uint32_t first, uint32_t last)
{
	jump(p, BPF_JGE, first, 0, 2);
	jump(p, BPF_JGT, last, 1, 0);
	answer(p, SECCOMP_RET_ALLOW);
}

static uint32_t highest(const struct watch_policy *p)
{
	uint32_t max = 0;

	for (size_t i = 0; i < p->n; i++)
		max = p->rules[i].number > max ? p->rules[i].number : max;
	return max;
}

/* First what has rules of its own, then the numbers that are simply allowed. The kernel finds out
 * by itself which these are, and does not run the program for them. */
int watch_filter_render(const struct watch_policy *p, enum watch_mode mode, struct buf *ret,
			struct error **err)
{
	_cleanup_free_ struct program *program = xcalloc(1, sizeof *program);
	const uint32_t one = 1, flags = 0, last = highest(p);
	uint32_t first = 0;

	load(program, offsetof(struct seccomp_data, arch));
	jump(program, BPF_JEQ, p->arch, 1, 0);
	answer(program, SECCOMP_RET_USER_NOTIF);
	load(program, offsetof(struct seccomp_data, nr));
	for (uint32_t number = 0; number <= last; number++) {
		struct call c = look_at(p, mode, number);

		if (c.by_argument || c.shown)
			put_call(program, &c);
	}
	for (uint32_t number = 0; number <= last + 1; number++) {
		struct call c = look_at(p, mode, number);

		if (c.allowed && !c.denied && !c.by_argument && !c.shown)
			continue;
		if (number > first)
			put_range(program, first, number - 1);
		first = number + 1;
	}
	answer(program, SECCOMP_RET_USER_NOTIF);
	if (program->full)
		return error_set(err, E2BIG, "too many rules for a filter");
	buf_add(ret, &one, sizeof one);
	buf_add(ret, &flags, sizeof flags);
	buf_add(ret, &program->n, sizeof program->n);
	buf_add(ret, program->code, program->n * sizeof *program->code);
	return 0;
}
