#include "emit/seccomp-verify.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "emit/policy-i386.h"
#include "emit/policy-verdict.h"

#define HALVES_MAX  96U /* of one argument */
#define VALUES_MAX  (HALVES_MAX * HALVES_MAX)
#define NUMBERS_MAX 600	       /* beyond the last call of any ABI here */
#define POINTS_MAX  (1U << 16) /* of one call; where there are more, some of them */

struct halves {
	uint32_t values[HALVES_MAX];
	size_t n;
};

/* The values of each argument that are worth a question. */
struct corners {
	uint64_t values[POLICY_ARGS][VALUES_MAX];
	size_t n[POLICY_ARGS];
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

static void add_half(struct halves *h, uint32_t value)
{
	for (size_t i = 0; i < h->n; i++)
		if (h->values[i] == value)
			return;
	if (h->n < HALVES_MAX)
		h->values[h->n++] = value;
}

static void add_around(struct halves *h, uint32_t v)
{
	const uint32_t around[] = { v, v - 1, v + 1, ~v, v & (v - 1), v | 1 };

	for (size_t i = 0; i < ARRAY_SIZE(around); i++)
		add_half(h, around[i]);
}

/* Programs compare the two halves of an argument apart, so each end of a rule is a pair of these.
 */
static void find_argument(const struct abi *abi, const char *name, size_t argument,
			  struct corners *ret)
{
	struct halves high = { .n = 1 }, low = { .n = 1 };
	bool any = false;

	for (size_t i = 0; i < abi->rules->n_rules; i++) {
		const struct policy_rule *r = &abi->rules->rules[i];

		if (strcmp(r->name, name) || !r->has_condition[argument])
			continue;
		any = true;
		add_around(&low, (uint32_t)r->conditions[argument].value);
		if (!abi->narrow)
			add_around(&high, (uint32_t)(r->conditions[argument].value >> 32));
	}
	if (any)
		add_around(&low, UINT32_MAX);
	if (any && !abi->narrow)
		add_around(&high, 0);
	for (size_t i = 0; i < high.n; i++)
		for (size_t j = 0; j < low.n; j++)
			ret->values[argument][ret->n[argument]++] = (uint64_t)high.values[i] << 32 |
								    low.values[j];
}

static void find_corners(const struct abi *abi, const char *name, struct corners *ret)
{
	memset(ret->n, 0, sizeof ret->n);
	for (size_t i = 0; i < POLICY_ARGS; i++)
		find_argument(abi, name, i, ret);
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

/* All combinations; of too many, some that are spread over them. */
static int check_corners(const struct abi *abi, const struct filter *f, const char *name,
			 int number, const struct corners *c, struct error **err)
{
	uint64_t all = 1, step;
	int r = 0;

	for (size_t i = 0; i < POLICY_ARGS; i++)
		all *= c->n[i]; /* at most 2^54 */
	step = all / POINTS_MAX + 1;
	for (uint64_t point = 0; point < all && r >= 0; point += step) {
		uint64_t args[POLICY_ARGS], rest = point;

		for (size_t i = 0; i < POLICY_ARGS; i++) {
			args[i] = c->values[i][rest % c->n[i]];
			rest /= c->n[i];
		}
		r = check_point(abi, f, name, number, args, err);
	}
	return r;
}

/* By number: of a call that is also a part of another one the library tells no number by name. */
static int check_abi(const struct abi *abi, const struct filter *f, struct error **err)
{
	struct corners *corners = xmalloc(sizeof *corners);
	int r = 0;

	for (int number = 0; number < NUMBERS_MAX && r >= 0; number++) {
		_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(abi->library, number);

		if (!name)
			continue;
		find_corners(abi, name, corners);
		r = check_corners(abi, f, name, number, corners, err);
	}
	free(corners);
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
