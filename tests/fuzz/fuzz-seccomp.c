/*
 * A policy of any rules, compiled: what it denies is denied by the programs, for every ABI and
 * whatever the upper halves of the arguments are; what it allows is allowed.
 *
 * The input chooses rules from small tables: names that exist, values that are near each other.
 */

#include <linux/audit.h>
#include <string.h>

#include "emit/policy-i386.h"
#include "emit/policy-verdict.h"
#include "emit/seccomp.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/bpf.h"

#define X32_BIT	  0x40000000
#define RULES_MAX 24

static const struct {
	const char *name;
	int x86_64, i386; /* negative: it has none */
} calls[] = {
	{ "read", 0, 3 },	   { "mmap", 9, 90 },		{ "ioctl", 16, 54 },
	{ "select", 23, 82 },	   { "shmget", 29, 395 },	{ "socket", 41, 359 },
	{ "connect", 42, 362 },	   { "clone", 56, 120 },	{ "kill", 62, 37 },
	{ "fcntl", 72, 55 },	   { "personality", 135, 136 }, { "openat", 257, 295 },
	{ "unshare", 272, 310 },   { "clone3", 435, 435 },	{ "mmap2", -1, 192 },
	{ "_newselect", -1, 142 }, { "fcntl64", -1, 221 },	{ "ipc", -1, 117 },
	{ "socketcall", -1, 102 }, { "bpf", 321, 357 },
};

static const uint64_t values[] = {
	0,
	1,
	2,
	3,
	7,
	8,
	0x10,
	0x5412,
	0x5413,
	0x7fffffff,
	0x80000000,
	0xfffffffe,
	0xffffffff,
	0x100000000,
	0x100000001,
	0xdeadbeef00000000,
	0xdeadbeef00005412,
	0xfffffffffffffffe,
	0xffffffffffffffff,
	0x10000000,
};

struct input {
	const uint8_t *data;
	size_t size;
};

static unsigned take(struct input *in, size_t below)
{
	if (!in->size)
		return 0;
	in->size--;
	return *in->data++ % (unsigned)below;
}

static void add_condition(struct input *in, struct policy_rule *r)
{
	unsigned argument = take(in, 3);
	struct policy_condition *c = &r->conditions[argument];

	r->has_condition[argument] = true;
	c->how = (enum policy_operator)take(in, POLICY_OPERATOR_MAX);
	c->value = values[take(in, ARRAY_SIZE(values))];
	if (c->how == POLICY_LOW)
		c->value &= UINT32_MAX;
	if (c->how == POLICY_BITS && !c->value)
		c->value = 1;
}

/* What clashes is left out, as the reader would refuse it. */
static void add_rule(struct input *in, struct policy *p)
{
	static const int errors[] = { EPERM, ENOSYS, EACCES, EAFNOSUPPORT };
	_cleanup_(error_freep) struct error *ignored = NULL;
	struct policy_rule r = { .file = "f" };
	const char *name = calls[take(in, ARRAY_SIZE(calls))].name;

	memcpy(r.name, name, strlen(name) + 1);
	r.allow = take(in, 2);
	r.error = r.allow ? 0 : errors[take(in, ARRAY_SIZE(errors))];
	for (unsigned n = take(in, 3); n > 0; n--)
		add_condition(in, &r);
	(void)policy_add_rule(p, &r, &ignored);
}

static enum policy_verdict_kind answer(const struct filter *f, uint32_t arch, int number,
				       const uint64_t args[POLICY_ARGS])
{
	struct seccomp_data data = { .nr = number, .arch = arch };
	uint32_t action;

	memcpy(data.args, args, sizeof data.args);
	action = bpf_run_all(f, &data);
	if (action == SECCOMP_RET_ALLOW)
		return POLICY_ALLOWED;
	return action == SECCOMP_RET_KILL_PROCESS ? POLICY_KILLED : POLICY_DENIED;
}

/* A part that is denied may be killed by the call that stands for it, too. */
static bool is_as_meant(enum policy_verdict_kind got, enum policy_verdict_kind meant,
			const char *name)
{
	return got == meant ||
	       (policy_is_multiplexer(name) && got == POLICY_KILLED && meant == POLICY_DENIED);
}

static void check(const struct filter *f, const struct policy *p, const struct policy *i386,
		  const char *name, int native, int other, const uint64_t args[POLICY_ARGS])
{
	static const uint64_t none[POLICY_ARGS];
	uint64_t low[POLICY_ARGS];

	must(answer(f, AUDIT_ARCH_X86_64, native | X32_BIT, args) == POLICY_DENIED);
	must(answer(f, AUDIT_ARCH_ARM, native, args) == POLICY_DENIED);
	if (native >= 0)
		must(answer(f, AUDIT_ARCH_X86_64, native, args) ==
		     policy_judge(p, name, args).kind);
	if (other < 0)
		return;
	for (size_t i = 0; i < POLICY_ARGS; i++)
		low[i] = args[i] & UINT32_MAX;
	if (!i386) {
		must(answer(f, AUDIT_ARCH_I386, other, none) == POLICY_DENIED);
		must(answer(f, AUDIT_ARCH_I386, other, args) == POLICY_DENIED);
		return;
	}

	enum policy_verdict_kind meant = policy_judge(i386, name, low).kind;

	must(is_as_meant(answer(f, AUDIT_ARCH_I386, other, low), meant, name));
	must(is_as_meant(answer(f, AUDIT_ARCH_I386, other, args), meant, name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(policy_freep) struct policy *p = xcalloc(1, sizeof *p), *i386 = NULL;
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_buf_ struct buf file = { 0 };
	struct input in = { data, size };
	struct filter f;

	p->answer = (enum policy_answer)take(&in, POLICY_ANSWER_MAX);
	p->i386 = take(&in, 2);
	for (unsigned n = 1 + take(&in, RULES_MAX); n > 0; n--)
		add_rule(&in, p);
	if (p->i386)
		i386 = policy_for_i386(p);
	/* What libseccomp makes wrongly, or longer than the kernel takes, is refused as a whole. */
	if (seccomp_compile(p, &file, &error) < 0) {
		must((error->code == EPROTO || error->code == EFBIG) && file.size == 0);
		return 0;
	}
	must(filter_parse(file.data, file.size, &f) == 0);
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		for (size_t j = 0; j < ARRAY_SIZE(values); j++)
			for (size_t k = 0; k < ARRAY_SIZE(values); k += 1 + j % 3) {
				const uint64_t args[POLICY_ARGS] = {
					values[j], values[k], values[(j + k) % ARRAY_SIZE(values)]
				};

				check(&f, p, i386, calls[i].name, calls[i].x86_64, calls[i].i386,
				      args);
			}
	return 0;
}
