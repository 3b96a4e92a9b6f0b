#include "emit/seccomp-verify.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "emit/policy-i386.h"
#include "emit/policy-verdict.h"

#define NUMBERS_MAX 600	       /* beyond the last call of any ABI here */
#define POINTS_MAX  (1U << 20) /* of one call: half a second */

/* The half of an argument: what the rules compare it with, and a value for each way in which such
 * comparisons can end. */
struct halves {
	uint32_t *values;
	size_t n;
	uint32_t *constants, *masks;
	size_t n_constants, n_masks;
};

/* The values of each argument that are worth a question. */
struct corners {
	struct halves low[POLICY_ARGS], high[POLICY_ARGS];
};

struct abi {
	const struct policy *rules;
	uint32_t library, audit;
	bool narrow; /* arguments have 32 bits */
};

/* One program; what the kernel would refuse kills. */
static uint32_t run(const struct sock_fprog *program, const struct seccomp_data *data)
{
	uint32_t a = 0;

	for (size_t pc = 0; pc < program->len; pc++) {
		const struct sock_filter *i = &program->filter[pc];
		bool holds;

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			if (i->k > sizeof *data - sizeof a)
				return SECCOMP_RET_KILL_PROCESS;
			memcpy(&a, (const char *)data + i->k, sizeof a);
			continue;
		case BPF_ALU | BPF_AND | BPF_K:
			a &= i->k;
			continue;
		case BPF_JMP | BPF_JA:
			pc += i->k;
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = a == i->k;
			break;
		case BPF_JMP | BPF_JGT | BPF_K:
			holds = a > i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = a >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			holds = a & i->k;
			break;
		default:
			return SECCOMP_RET_KILL_PROCESS;
		}
		pc += holds ? i->jt : i->jf;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

/* The strictest of all programs, as the kernel takes it. */
static enum policy_verdict_kind run_all(const struct filter *f, const struct seccomp_data *data)
{
	int32_t strictest = SECCOMP_RET_ALLOW;

	for (uint32_t i = 0; i < f->n; i++) {
		int32_t action = (int32_t)(run(&f->programs[i], data) & SECCOMP_RET_ACTION_FULL);

		if (action < strictest)
			strictest = action;
	}
	if (strictest == SECCOMP_RET_ALLOW)
		return POLICY_ALLOWED;
	return strictest == (int32_t)SECCOMP_RET_KILL_PROCESS ? POLICY_KILLED : POLICY_DENIED;
}

static void add_number(uint32_t **list, size_t *n, uint32_t value)
{
	for (size_t i = 0; i < *n; i++)
		if ((*list)[i] == value)
			return;
	*list = xreallocarray(*list, *n + 1, sizeof **list);
	(*list)[(*n)++] = value;
}

/* Does no comparison tell the two apart? */
static bool is_alike(const struct halves *h, uint32_t a, uint32_t b)
{
	for (size_t i = 0; i < h->n_constants; i++) {
		uint32_t c = h->constants[i];

		if ((a == c) != (b == c) || (a > c) != (b > c))
			return false;
	}
	for (size_t i = 0; i < h->n_masks; i++) {
		uint32_t m = h->masks[i];

		if (((a & m) == m) != ((b & m) == m) || !(a & m) != !(b & m))
			return false;
	}
	return true;
}

static void add_value(struct halves *h, uint32_t value)
{
	for (size_t i = 0; i < h->n; i++)
		if (is_alike(h, h->values[i], value))
			return;
	h->values = xreallocarray(h->values, h->n + 1, sizeof *h->values);
	h->values[h->n++] = value;
}

static void add_around(struct halves *h, uint32_t v)
{
	const uint32_t around[] = { v, v - 1, v + 1, ~v, v & (v - 1), v | 1 };

	for (size_t i = 0; i < ARRAY_SIZE(around); i++)
		add_value(h, around[i]);
}

static void find_values(struct halves *h)
{
	add_value(h, 0);
	add_value(h, UINT32_MAX);
	for (size_t i = 0; i < h->n_constants; i++)
		add_around(h, h->constants[i]);
	for (size_t i = 0; i < h->n_masks; i++)
		add_around(h, h->masks[i]);
}

static void add_constant(struct halves *h, uint32_t value, bool is_mask)
{
	if (is_mask)
		add_number(&h->masks, &h->n_masks, value);
	else
		add_number(&h->constants, &h->n_constants, value);
}

static void halves_release(struct halves *h)
{
	free(h->values);
	free(h->constants);
	free(h->masks);
	*h = (struct halves){ 0 };
}

static void corners_release(struct corners *c)
{
	for (size_t i = 0; i < POLICY_ARGS; i++) {
		halves_release(&c->low[i]);
		halves_release(&c->high[i]);
	}
}

/* Programs compare the two halves of an argument apart, each with half of a rule's value. */
static void find_corners(const struct abi *abi, const char *name, struct corners *ret)
{
	for (size_t i = 0; i < abi->rules->n_rules; i++) {
		const struct policy_rule *r = &abi->rules->rules[i];

		for (size_t arg = 0; arg < POLICY_ARGS; arg++) {
			const struct policy_condition *c = &r->conditions[arg];
			bool is_mask = c->how == POLICY_BITS;

			if (strcmp(r->name, name) || !r->has_condition[arg])
				continue;
			add_constant(&ret->low[arg], (uint32_t)c->value, is_mask);
			if (!abi->narrow && c->how != POLICY_LOW)
				add_constant(&ret->high[arg], (uint32_t)(c->value >> 32), is_mask);
		}
	}
	for (size_t arg = 0; arg < POLICY_ARGS; arg++) {
		find_values(&ret->low[arg]);
		/* Whatever is above the 32 bits that a rule compares does not count: this is seen.
		 */
		if (ret->low[arg].n > 1 && !abi->narrow)
			add_constant(&ret->high[arg], 0, false);
		find_values(&ret->high[arg]);
	}
}

static int check_point(const struct abi *abi, const struct filter *f, const char *name, int number,
		       const uint64_t *args, struct error **err)
{
	struct seccomp_data data = { .nr = number, .arch = abi->audit };
	enum policy_verdict_kind meant = policy_judge(abi->rules, name, args).kind, got;

	memcpy(data.args, args, sizeof data.args);
	got = run_all(f, &data);
	if (got == meant ||
	    (policy_is_multiplexer(name) && got == POLICY_KILLED && meant == POLICY_DENIED))
		return 0;
	return error_set(err, EPROTO,
			 "libseccomp compiles the rules for '%s' to what they do not say: write "
			 "them with fewer or other conditions",
			 name);
}

/* All combinations. What cannot be verified does not start either. */
static int check_corners(const struct abi *abi, const struct filter *f, const char *name,
			 int number, const struct corners *c, struct error **err)
{
	uint64_t all = 1;
	int r = 0;

	for (size_t i = 0; i < POLICY_ARGS && all <= POINTS_MAX; i++)
		all *= c->low[i].n * c->high[i].n;
	if (all > POINTS_MAX)
		return error_set(err, EPROTO,
				 "the rules for '%s' have more conditions than can be verified: "
				 "write them with fewer",
				 name);
	for (uint64_t point = 0; point < all && r >= 0; point++) {
		uint64_t args[POLICY_ARGS], rest = point;

		for (size_t i = 0; i < POLICY_ARGS; i++) {
			args[i] = c->low[i].values[rest % c->low[i].n];
			rest /= c->low[i].n;
			args[i] |= (uint64_t)c->high[i].values[rest % c->high[i].n] << 32;
			rest /= c->high[i].n;
		}
		r = check_point(abi, f, name, number, args, err);
	}
	return r;
}

/* By number: of a call that is also a part of another one the library tells no number by name. */
static int check_abi(const struct abi *abi, const struct filter *f, struct error **err)
{
	int r = 0;

	for (int number = 0; number < NUMBERS_MAX && r >= 0; number++) {
		_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(abi->library, number);
		_cleanup_(corners_release) struct corners corners = { 0 };

		if (!name)
			continue;
		find_corners(abi, name, &corners);
		r = check_corners(abi, f, name, number, &corners, err);
	}
	return r;
}

int seccomp_verify(const struct policy *p, const struct filter *f, struct error **err)
{
	const struct abi native = { p, SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64, false };
	_cleanup_(policy_freep) struct policy *rules = NULL;
	int r;

	r = check_abi(&native, f, err);
	if (r < 0 || !p->i386)
		return r;
	rules = policy_for_i386(p);

	const struct abi i386 = { rules, SCMP_ARCH_X86, AUDIT_ARCH_I386, true };

	return check_abi(&i386, f, err);
}
