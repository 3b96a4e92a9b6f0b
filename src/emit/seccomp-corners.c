#include "emit/seccomp-corners.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/alloc.h"

/* Of a half with a constant: equal, greater; with `bits` also whether they have one in common. */
struct corners_comparison {
	uint32_t mask, value;
	bool bits;
};

/* --- comparisons --------------------------------------------------------------- */

static void add_comparison(struct corners_half *h, uint32_t mask, uint32_t value, bool bits)
{
	for (size_t i = 0; i < h->n_comparisons; i++) {
		struct corners_comparison *c = &h->comparisons[i];

		if (c->mask == mask && c->value == value) {
			c->bits |= bits;
			return;
		}
	}
	h->comparisons = xreallocarray(h->comparisons, h->n_comparisons + 1,
				       sizeof *h->comparisons);
	h->comparisons[h->n_comparisons++] = (struct corners_comparison){ mask, value, bits };
}

static bool ends_alike(const struct corners_comparison *c, uint32_t a, uint32_t b)
{
	uint32_t x = a & c->mask, y = b & c->mask;

	return (x == c->value) == (y == c->value) && (x > c->value) == (y > c->value) &&
	       (!c->bits || !(x & c->value) == !(y & c->value));
}

static void add_rules(const struct corners_call *call, struct corners *ret)
{
	for (size_t i = 0; i < call->rules->n_rules; i++) {
		const struct policy_rule *r = &call->rules->rules[i];

		if (strcmp(r->name, call->name) != 0)
			continue;
		for (size_t arg = 0; arg < POLICY_ARGS; arg++) {
			const struct policy_condition *c = &r->conditions[arg];
			uint32_t low = (uint32_t)c->value, high = (uint32_t)(c->value >> 32);
			bool bits = c->how == POLICY_BITS;

			if (!r->has_condition[arg])
				continue;
			add_comparison(&ret->halves[arg][0], bits ? low : UINT32_MAX, low, false);
			if (c->how != POLICY_LOW)
				add_comparison(&ret->halves[arg][1], bits ? high : UINT32_MAX, high,
					       false);
		}
	}
}

/* --- programs ------------------------------------------------------------------ */

/* Before an instruction: what the accumulator has. */
struct state {
	uint32_t pc, offset, mask;
};

struct walk {
	const struct corners_call *call;
	const struct sock_fprog *program;
	struct corners *corners;
	struct state *states; /* that were met */
	size_t n;
};

static void meet(struct walk *w, struct state s)
{
	for (size_t i = 0; i < w->n; i++)
		if (!memcmp(&w->states[i], &s, sizeof s))
			return;
	w->states = xreallocarray(w->states, w->n + 1, sizeof *w->states);
	w->states[w->n++] = s;
}

/* What a call of this number has there, as far as that is known. */
static bool is_known(const struct walk *w, uint32_t offset, uint32_t *ret)
{
	if (offset == offsetof(struct seccomp_data, nr))
		*ret = (uint32_t)w->call->number;
	else if (offset == offsetof(struct seccomp_data, arch))
		*ret = w->call->arch;
	else
		return false;
	return true;
}

/* NULL: no argument is there. On a little-endian machine, as all are whose filters this reads
 * (emit/policy-i386.h). */
static struct corners_half *half_at(const struct walk *w, uint32_t offset)
{
	uint32_t begin = offsetof(struct seccomp_data, args), which = (offset - begin) / 4;

	if (offset < begin || which >= POLICY_ARGS * CORNERS_HALVES)
		return NULL;
	return &w->corners->halves[which / CORNERS_HALVES][which % CORNERS_HALVES];
}

static bool holds(const struct sock_filter *i, uint32_t a)
{
	switch (BPF_OP(i->code)) {
	case BPF_JEQ:
		return a == i->k;
	case BPF_JGT:
		return a > i->k;
	case BPF_JGE:
		return a >= i->k;
	default:
		return a & i->k;
	}
}

/* Both ways, where it depends on an argument. */
static void branch(struct walk *w, const struct sock_filter *i, const struct state *s)
{
	struct state yes = *s, no = *s;
	struct corners_half *half = half_at(w, s->offset);
	uint32_t op = BPF_OP(i->code), known;

	yes.pc += 1U + i->jt;
	no.pc += 1U + i->jf;
	if (is_known(w, s->offset, &known)) {
		meet(w, holds(i, known & s->mask) ? yes : no);
		return;
	}
	/* a >= k is a > k - 1, and always so for 0. */
	if (half && (op != BPF_JGE || i->k))
		add_comparison(half, s->mask, op == BPF_JGE ? i->k - 1 : i->k, op == BPF_JSET);
	meet(w, yes);
	meet(w, no);
}

/* What it has not, ends: whoever runs the program does not go on there either. */
static void step(struct walk *w, struct state s)
{
	const struct sock_filter *i = &w->program->filter[s.pc];

	switch (i->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		meet(w, (struct state){ s.pc + 1, i->k, UINT32_MAX });
		break;
	case BPF_ALU | BPF_AND | BPF_K:
		meet(w, (struct state){ s.pc + 1, s.offset, s.mask & i->k });
		break;
	case BPF_JMP | BPF_JA:
		meet(w, (struct state){ s.pc + 1 + i->k, s.offset, s.mask });
		break;
	case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JGT | BPF_K:
	case BPF_JMP | BPF_JGE | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_K:
		branch(w, i, &s);
		break;
	default:
		break;
	}
}

static void add_program(const struct corners_call *call, const struct sock_fprog *program,
			struct corners *ret)
{
	struct walk w = { .call = call, .program = program, .corners = ret };

	meet(&w, (struct state){ 0, UINT32_MAX, UINT32_MAX });
	for (size_t i = 0; i < w.n; i++)
		if (w.states[i].pc < program->len)
			step(&w, w.states[i]);
	free(w.states);
}

/* --- values --------------------------------------------------------------------- */

static void add_value(struct corners_half *h, uint32_t value)
{
	for (size_t i = 0; i < h->n; i++) {
		size_t c = 0;

		while (c < h->n_comparisons && ends_alike(&h->comparisons[c], h->values[i], value))
			c++;
		if (c == h->n_comparisons)
			return;
	}
	h->values = xreallocarray(h->values, h->n + 1, sizeof *h->values);
	h->values[h->n++] = value;
}

static void find_values(struct corners_half *h)
{
	add_value(h, 0);
	add_value(h, UINT32_MAX);
	for (size_t i = 0; i < h->n_comparisons; i++) {
		uint32_t v = h->comparisons[i].value, rest = ~h->comparisons[i].mask;
		const uint32_t around[] = { v, v - 1, v + 1, ~v, v & (v - 1), v | 1 };

		for (size_t j = 0; j < ARRAY_SIZE(around); j++) {
			add_value(h, around[j]);
			add_value(h, around[j] | rest);
		}
	}
}

void corners_find(const struct corners_call *c, struct corners *ret)
{
	add_rules(c, ret);
	for (uint32_t i = 0; i < c->filter->n; i++)
		add_program(c, &c->filter->programs[i], ret);
	for (size_t arg = 0; arg < POLICY_ARGS; arg++) {
		/* The kernel itself makes the upper half 0 there. */
		if (c->narrow)
			ret->halves[arg][1].n_comparisons = 0;
		for (size_t half = 0; half < CORNERS_HALVES; half++)
			find_values(&ret->halves[arg][half]);
	}
}

void corners_release(struct corners *c)
{
	for (size_t arg = 0; arg < POLICY_ARGS; arg++)
		for (size_t half = 0; half < CORNERS_HALVES; half++) {
			free(c->halves[arg][half].comparisons);
			free(c->halves[arg][half].values);
		}
	*c = (struct corners){ 0 };
}

/* --- combinations ----------------------------------------------------------------- */

uint64_t corners_count(const struct corners *c)
{
	uint64_t all = 1;

	for (size_t arg = 0; arg < POLICY_ARGS; arg++)
		for (size_t half = 0; half < CORNERS_HALVES; half++)
			if (__builtin_mul_overflow(all, c->halves[arg][half].n, &all))
				return UINT64_MAX;
	return all;
}

void corners_point(const struct corners *c, uint64_t number, uint64_t args[POLICY_ARGS])
{
	for (size_t arg = 0; arg < POLICY_ARGS; arg++) {
		args[arg] = 0;
		for (size_t half = 0; half < CORNERS_HALVES; half++) {
			const struct corners_half *h = &c->halves[arg][half];

			args[arg] |= (uint64_t)h->values[number % h->n] << 32 * half;
			number /= h->n;
		}
	}
}
