#include "emit/seccomp.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fs.h"
#include "base/wire.h"
#include "emit/filter.h"
#include "emit/policy-i386.h"
#include "emit/seccomp-verify.h"
#include "emit/watch.h"

#define OPTIMIZE_TREE 2 /* binary tree instead of a list: one call costs ten comparisons */

enum program {
	PROGRAM_ALLOWED,   /* default: ENOSYS */
	PROGRAM_ARGUMENTS, /* default: allow */
	PROGRAM_MAX,
};

/* Rules of one ABI for one program. */
struct target {
	scmp_filter_ctx ctx;
	enum program program;
	bool is_native;
};

static void seccomp_releasep(scmp_filter_ctx *ctx)
{
	if (*ctx)
		seccomp_release(*ctx);
}

/* libseccomp returns -errno in most of its functions, and does not set errno. */
static int failed(int code, const char *what, struct error **err)
{
	return error_set(err, -code, "cannot compile: %s: %s", what, strerror(-code));
}

static int new_context(enum program program, scmp_filter_ctx *ret, struct error **err)
{
	const uint32_t defaults[] = {
		[PROGRAM_ALLOWED] = SCMP_ACT_ERRNO(POLICY_ERRNO_OTHERS),
		[PROGRAM_ARGUMENTS] = SCMP_ACT_ALLOW,
	};
	/* The calls of other ABIs have other numbers for the same: none gets through. */
	const struct {
		enum scmp_filter_attr attribute;
		uint32_t value;
	} attributes[] = {
		{ SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(POLICY_ERRNO_OTHERS) },
		{ SCMP_FLTATR_CTL_NNP, 0 },
		{ SCMP_FLTATR_CTL_OPTIMIZE, OPTIMIZE_TREE },
	};
	_cleanup_(seccomp_releasep) scmp_filter_ctx ctx = seccomp_init(defaults[program]);

	if (!ctx)
		return failed(-ENOMEM, "seccomp_init", err);
	for (size_t i = 0; i < ARRAY_SIZE(attributes); i++) {
		int r = seccomp_attr_set(ctx, attributes[i].attribute, attributes[i].value);

		if (r < 0)
			return failed(r, "seccomp_attr_set", err);
	}
	*ret = TAKE_PTR(ctx);
	return 0;
}

static bool is_logged(const struct policy *p, const struct policy_rule *r)
{
	return p->answer == POLICY_ANSWER_LOG && r->error == POLICY_ERRNO;
}

/* A denial is told by the program that does not know the call, where it is the only one to do so:
 * of two programs that answer with an error, that one counts. Libseccomp opens a multiplexer for
 * each part that is allowed, which the other program takes back. */
static bool belongs(const struct policy *p, const struct policy_rule *r, enum program program)
{
	bool is_argument = !r->allow &&
			   (policy_rule_has_conditions(r) || is_logged(p, r) ||
			    policy_is_multiplexer(r->name) || policy_allows_call(p, r->name));

	return is_argument == (program == PROGRAM_ARGUMENTS);
}

/* The other program denies it, with the error that is meant. */
static bool is_passed_on(const struct policy *p, const struct policy_rule *r, enum program program)
{
	return program == PROGRAM_ALLOWED && is_logged(p, r) && !policy_rule_has_conditions(r) &&
	       !policy_allows_call(p, r->name);
}

static unsigned comparisons(const struct policy_rule *r, struct scmp_arg_cmp ret[POLICY_ARGS])
{
	unsigned n = 0;

	for (unsigned i = 0; i < POLICY_ARGS; i++) {
		uint64_t value = r->conditions[i].value;
		const struct scmp_arg_cmp forms[] = {
			[POLICY_EQ] = { i, SCMP_CMP_EQ, value, 0 },
			[POLICY_GT] = { i, SCMP_CMP_GT, value, 0 },
			[POLICY_LT] = { i, SCMP_CMP_LT, value, 0 },
			[POLICY_LOW] = { i, SCMP_CMP_MASKED_EQ, UINT32_MAX, value },
			[POLICY_BITS] = { i, SCMP_CMP_MASKED_EQ, value, value },
		};

		if (r->has_condition[i])
			ret[n++] = forms[r->conditions[i].how];
	}
	return n;
}

static uint32_t action(const struct policy *p, const struct policy_rule *r)
{
	if (r->allow)
		return SCMP_ACT_ALLOW;
	if (p->answer == POLICY_ANSWER_KILL && r->error == POLICY_ERRNO)
		return SCMP_ACT_KILL_PROCESS;
	return SCMP_ACT_ERRNO((uint32_t)r->error);
}

/* Libseccomp refuses an action that is the default; such a rule is there to be read. */
static bool is_default(enum program program, uint32_t action)
{
	return program == PROGRAM_ALLOWED && action == SCMP_ACT_ERRNO(POLICY_ERRNO_OTHERS);
}

static int add_rule(const struct target *t, const struct policy_rule *r, uint32_t action,
		    struct error **err)
{
	struct scmp_arg_cmp cmp[POLICY_ARGS];
	unsigned n = comparisons(r, cmp);
	int number = seccomp_syscall_resolve_name(r->name), e;

	if (number == __NR_SCMP_ERROR && r->optional)
		return 0;
	if (number == __NR_SCMP_ERROR)
		return error_set(err, ENOSYS, "unknown system call '%s'", r->name);
	if (is_default(t->program, action))
		return 0;
	if (t->is_native && number < 0)
		return 0; /* one of other architectures: here it has no number to be called by */
	e = seccomp_rule_add_array(t->ctx, action, number, n, cmp);
	/* Parts of a multiplexer meet there. Whether it matters is verified. */
	if (e == -EEXIST)
		return 0;
	return e < 0 ? failed(e, r->name, err) : 0;
}

/* The program as libseccomp writes it: its instructions, one after the other. */
static int export_program(scmp_filter_ctx ctx, struct buf *ret, struct error **err)
{
	_cleanup_close_ int fd = memfd_create("bpf", MFD_CLOEXEC);
	_cleanup_free_ char *code = NULL;
	uint32_t count;
	size_t size;
	int r;

	if (fd < 0)
		return error_errno(err, "cannot make a memory file");
	r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return failed(r, "seccomp_export_bpf", err);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, "cannot read a memory file");
	r = fs_read_fd(fd, BPF_MAXINSNS * sizeof(struct sock_filter), &code, &size, err);
	if (r < 0)
		return error_prefix(err, "more conditions than fit into a filter of the kernel's");
	count = (uint32_t)(size / sizeof(struct sock_filter));
	buf_add(ret, &count, sizeof count);
	buf_add(ret, code, size);
	return 0;
}

static int add_rules(const struct target *t, const struct policy *p, struct error **err)
{
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct policy_rule *rule = &p->rules[i];
		int r = 0;

		if (belongs(p, rule, t->program))
			r = add_rule(t, rule, action(p, rule), err);
		else if (is_passed_on(p, rule, t->program))
			r = add_rule(t, rule, SCMP_ACT_ALLOW, err);
		if (r < 0)
			return error_prefix(err, "%s:%u", rule->file, rule->line);
	}
	return 0;
}

/* Beside the native ABI, which the context is for until now; x32 stays another one. */
static int add_i386(scmp_filter_ctx ctx, const struct policy *p, enum program program,
		    struct error **err)
{
	_cleanup_(policy_freep) struct policy *rules = policy_for_i386(p);
	_cleanup_(seccomp_releasep) scmp_filter_ctx own = NULL;
	int r;

	r = new_context(program, &own, err);
	if (r < 0)
		return r;
	r = seccomp_arch_add(own, SCMP_ARCH_X86);
	if (r >= 0)
		r = seccomp_arch_remove(own, SCMP_ARCH_NATIVE);
	if (r < 0)
		return failed(r, "the ABI of i386", err);

	const struct target t = { .ctx = own, .program = program };

	r = add_rules(&t, rules, err);
	if (r < 0)
		return r;
	r = seccomp_merge(ctx, own);
	if (r < 0)
		return failed(r, "seccomp_merge", err);
	own = NULL; /* it is a part of the other one */
	return 0;
}

static int compile(const struct policy *p, enum program program, struct buf *ret,
		   struct error **err)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx ctx = NULL;
	uint32_t flags = 0;
	int r;

	r = new_context(program, &ctx, err);
	if (r < 0)
		return r;

	const struct target t = { .ctx = ctx, .program = program, .is_native = true };

	r = add_rules(&t, p, err);
	if (r >= 0 && p->i386)
		r = add_i386(ctx, p, program, err);
	if (r < 0)
		return r;
	if (p->answer == POLICY_ANSWER_LOG && program == PROGRAM_ARGUMENTS)
		flags = FILTER_LOG;
	buf_add(ret, &flags, sizeof flags);
	return export_program(ctx, ret, err);
}

int seccomp_compile(const struct policy *p, struct buf *ret, struct error **err)
{
	_cleanup_buf_ struct buf out = { 0 };
	uint32_t n = PROGRAM_MAX;
	struct filter filter;
	int r;

	buf_add(&out, &n, sizeof n);
	for (enum program program = 0; program < PROGRAM_MAX; program++) {
		r = compile(p, program, &out, err);
		if (r < 0)
			return r;
	}
	if (filter_parse(out.data, out.size, &filter) < 0)
		return error_set(err, EPROTO, "libseccomp made no filter");
	r = seccomp_verify(p, &filter, err);
	if (r < 0)
		return r;
	buf_add(ret, out.data, out.size);
	return 0;
}

int seccomp_number(const struct policy *p, struct buf *ret, struct error **err)
{
	_cleanup_buf_ struct buf out = { 0 };

	wire_put_u32(&out, seccomp_arch_native());
	wire_put_u32(&out, (uint32_t)p->n_rules);
	for (size_t i = 0; i < p->n_rules; i++) {
		const struct policy_rule *r = &p->rules[i];
		int number = seccomp_syscall_resolve_name(r->name);

		if (number == __NR_SCMP_ERROR && !r->optional)
			return error_set(err, ENOSYS, "%s:%u: unknown system call '%s'", r->file,
					 r->line, r->name);
		/* Negative: one of other architectures. */
		wire_put_u32(&out, number < 0 ? WATCH_NO_NUMBER : (uint32_t)number);
	}
	buf_add(ret, out.data, out.size);
	return 0;
}
