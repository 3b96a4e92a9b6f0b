#include "emit/seccomp-verify.h"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <string.h>

#include "emit/policy-i386.h"
#include "emit/policy-verdict.h"
#include "emit/seccomp-corners.h"

#define NUMBERS_MAX 600	       /* beyond the last call of any ABI here */
#define POINTS_MAX  (1U << 20) /* of one call: half a second */

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
	uint64_t all = corners_count(c);
	int r = 0;

	if (all > POINTS_MAX)
		return error_set(err, EPROTO,
				 "the rules for '%s' have more conditions than can be verified: "
				 "write them with fewer",
				 name);
	for (uint64_t point = 0; point < all && r >= 0; point++) {
		uint64_t args[POLICY_ARGS];

		corners_point(c, point, args);
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
		corners_find(&(const struct corners_call){ abi->rules, f, name, number, abi->audit,
							   abi->narrow },
			     &corners);
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
