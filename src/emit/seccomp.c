#include "emit/seccomp.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>

#include "base/fs.h"
#include "emit/filter.h"

#define OPTIMIZE_TREE 2 /* binary tree instead of a list: one call costs ten comparisons */

enum program {
	PROGRAM_ALLOWED,   /* default: ENOSYS */
	PROGRAM_ARGUMENTS, /* default: allow */
	PROGRAM_MAX,
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
		[PROGRAM_ALLOWED] = SCMP_ACT_ERRNO(ENOSYS),
		[PROGRAM_ARGUMENTS] = SCMP_ACT_ALLOW,
	};
	/* The calls of 32-bit and x32 programs have other numbers for the same: none gets through.
	 */
	const struct {
		enum scmp_filter_attr attribute;
		uint32_t value;
	} attributes[] = {
		{ SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS) },
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

/* Which program a rule goes into. Libseccomp refuses an action that is the default; such a rule is
 * there to be read. */
static bool belongs(const struct policy_rule *r, enum program program)
{
	if (program == PROGRAM_ARGUMENTS)
		return !r->allow && policy_rule_has_conditions(r);
	return r->allow || (!policy_rule_has_conditions(r) && r->error != ENOSYS);
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

static int add_rule(scmp_filter_ctx ctx, const struct policy_rule *r, struct error **err)
{
	struct scmp_arg_cmp cmp[POLICY_ARGS];
	unsigned n = comparisons(r, cmp);
	int number = seccomp_syscall_resolve_name(r->name), e;

	if (number == __NR_SCMP_ERROR && r->optional)
		return 0;
	if (number == __NR_SCMP_ERROR)
		return error_set(err, ENOSYS, "unknown system call '%s'", r->name);
	if (number < 0)
		return 0; /* one of other architectures: here it has no number to be called by */
	e = seccomp_rule_add_array(ctx,
				   r->allow ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO((unsigned)r->error),
				   number, n, cmp);
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
		return error_prefix(err, "program of the kernel's limit");
	count = (uint32_t)(size / sizeof(struct sock_filter));
	buf_add(ret, &count, sizeof count);
	buf_add(ret, code, size);
	return 0;
}

static int compile(const struct policy *p, const char *file, enum program program, struct buf *ret,
		   struct error **err)
{
	_cleanup_(seccomp_releasep) scmp_filter_ctx ctx = NULL;
	int r;

	r = new_context(program, &ctx, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < p->n_rules; i++) {
		r = belongs(&p->rules[i], program) ? add_rule(ctx, &p->rules[i], err) : 0;
		if (r < 0)
			return error_prefix(err, "%s:%u", file, p->rules[i].line);
	}
	r = export_program(ctx, ret, err);
	return r < 0 ? error_prefix(err, "%s", file) : 0;
}

int seccomp_compile(const struct policy *p, const char *file, struct buf *ret, struct error **err)
{
	_cleanup_buf_ struct buf out = { 0 };
	uint32_t n = PROGRAM_MAX;

	buf_add(&out, &n, sizeof n);
	for (enum program program = 0; program < PROGRAM_MAX; program++) {
		int r = compile(p, file, program, &out, err);

		if (r < 0)
			return r;
	}
	buf_add(ret, out.data, out.size);
	return 0;
}
