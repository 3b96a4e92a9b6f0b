/*
 * emit/lxc-seccomp: the text is compiled as liblxc 5 does it, and run in the interpreter. What it
 * allows on x86_64 is exactly what the policy allows; on i386 never more than with Abi=i386.
 */

#include "emit/lxc-seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>

#include "base/fs.h"
#include "base/strv.h"
#include "emit/pattern.h"
#include "emit/policy-i386.h"
#include "emit/policy-read.h"
#include "filter-of.h"
#include "unit.h"

#define HIGH UINT64_C(0xdeadbeef00000000)

static const struct {
	uint32_t library, audit;
} architectures[] = {
	[TRUTH_X86_64] = { SCMP_ARCH_X86_64, AUDIT_ARCH_X86_64 },
	[TRUTH_X86] = { SCMP_ARCH_X86, AUDIT_ARCH_I386 },
	[TRUTH_X32] = { SCMP_ARCH_X32, AUDIT_ARCH_X86_64 },
};

/* "[0,0x10,SCMP_CMP_EQ] [1,0x1,SCMP_CMP_MASKED_EQ,0xff]" */
static unsigned read_arguments(const char *text, struct scmp_arg_cmp ret[POLICY_ARGS])
{
	unsigned n = 0;

	for (; *text; text += strcspn(text, "]") + 1, text += *text == ' ') {
		unsigned index;
		unsigned long value, mask;
		char operator[24];
		int found = sscanf(text, "[%u,%lx,%23[^],],%lx", &index,
				   &value, operator,(long *) & mask);

		assert_true(index < POLICY_ARGS && n < POLICY_ARGS);
		if (found == 3 && !strcmp(operator, "SCMP_CMP_EQ"))
			ret[n++] = (struct scmp_arg_cmp){ index, SCMP_CMP_EQ, value, 0 };
		else if (found == 4 && !strcmp(operator, "SCMP_CMP_MASKED_EQ"))
			ret[n++] = (struct scmp_arg_cmp){ index, SCMP_CMP_MASKED_EQ, mask, value };
		else
			fail_msg("arguments '%s'", text);
	}
	return n;
}

/* Names that an architecture has not are left out, as liblxc does. */
static void add_line(scmp_filter_ctx ctx, uint32_t arch, const char *line)
{
	struct scmp_arg_cmp cmp[POLICY_ARGS];
	uint32_t action = SCMP_ACT_ALLOW;
	int used = 0, error, number;
	char name[64];
	unsigned n;

	if (sscanf(line, "%63s errno %d %n", name, &error, &used) == 2)
		action = SCMP_ACT_ERRNO((uint32_t)error);
	else if (sscanf(line, "%63s allow %n", name, &used) != 1 || !used)
		fail_msg("rule '%s'", line);
	n = read_arguments(line + used, cmp);
	number = seccomp_syscall_resolve_name(name); /* the library translates it */
	if (seccomp_syscall_resolve_name_arch(arch, name) >= 0 &&
	    seccomp_rule_add_exact_array(ctx, action, number, n, cmp) < 0)
		fail_msg("libseccomp refuses '%s' on %#x", line, arch);
}

static void compile(const char *text, enum truth_abi abi, struct buf *ret, struct filter *filter)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	_cleanup_close_ int fd = memfd_create("bpf", MFD_CLOEXEC);
	_cleanup_free_ char *copy = xstrdup(text), *code = NULL;
	struct error *error = NULL;
	char *rest = copy, *line;
	uint32_t head[3] = { 1, 0, 0 };
	size_t size;

	if (abi != TRUTH_X86_64) {
		assert_int_equal(seccomp_arch_add(ctx, architectures[abi].library), 0);
		assert_int_equal(seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE), 0);
	}
	assert_string_equal(strsep(&rest, "\n"), "2");
	assert_string_equal(strsep(&rest, "\n"), "allowlist errno 38");
	assert_string_equal(strsep(&rest, "\n"), "[all]");
	while ((line = strsep(&rest, "\n")))
		if (*line)
			add_line(ctx, architectures[abi].library, line);
	assert_int_equal(seccomp_export_bpf(ctx, fd), 0);
	seccomp_release(ctx);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_done(fs_read_fd(fd, 1 << 20, &code, &size, &error), error);
	head[2] = (uint32_t)(size / sizeof(struct sock_filter));
	buf_add(ret, head, sizeof head);
	buf_add(ret, code, size);
	assert_int_equal(filter_parse(ret->data, ret->size, filter), 0);
}

static bool allows(const struct filter *f, enum truth_abi abi, int64_t number, const uint64_t *args)
{
	struct seccomp_data data = { .nr = (int)number, .arch = architectures[abi].audit };

	memcpy(data.args, args, sizeof data.args);
	return bpf_run_all(f, &data) == SECCOMP_RET_ALLOW;
}

/* Where no rule is about arguments, few of them will do. */
static size_t step(const struct policy *p, const char *name)
{
	for (size_t i = 0; i < p->n_rules; i++)
		if (!strcmp(p->rules[i].name, name) && policy_rule_has_conditions(&p->rules[i]))
			return 1;
	return 13;
}

static void check_call(const struct filter *f, enum truth_abi abi, int64_t number, const char *name,
		       const struct policy *p)
{
	static const uint64_t values[] = {
		0,
		1,
		2,
		4,
		10,
		15,
		16,
		17,
		18,
		33,
		58,
		59,
		0x80,
		0x5401,
		0x5411,
		0x5412,
		0x5413,
		0x541d,
		0x5422,
		0x5423,
		0x20000,
		0x10000000,
		0x40000000,
		0x1200011,
		0x3d0f00,
		UINT32_MAX,
		HIGH | 1,
		HIGH | 16,
		HIGH | 0x5412,
		HIGH | 0x10000000,
		UINT64_MAX,
	};

	const size_t next = step(p, name);

	for (size_t i = 0; i < ARRAY_SIZE(values); i += next)
		for (size_t j = 0; j < ARRAY_SIZE(values); j += next)
			for (size_t k = 0; k < ARRAY_SIZE(values); k += next + 2) {
				uint64_t args[POLICY_ARGS] = { values[i], values[j], values[k],
							       values[j] };
				bool meant, got, small = true;

				for (size_t a = 0; a < POLICY_ARGS && abi == TRUTH_X86; a++)
					args[a] &= UINT32_MAX;
				meant = policy_judge(p, name, args).kind == POLICY_ALLOWED;
				got = allows(f, abi, number, args);
				for (size_t a = 0; a < POLICY_ARGS; a++)
					small &= args[a] <= UINT32_MAX;
				if (got != meant && (got || (small && abi == TRUTH_X86_64)))
					fail_msg("%d %s(%#lx, %#lx, %#lx): %d", abi, name, args[0],
						 args[1], args[2], got);
			}
}

static void check_text(const char *text, const struct policy *p)
{
	_cleanup_(policy_freep) struct policy *i386 = policy_for_i386(p);

	for (enum truth_abi abi = TRUTH_X86_64; abi <= TRUTH_X86; abi++) {
		_cleanup_buf_ struct buf file = { 0 };
		struct filter filter;

		compile(text, abi, &file, &filter);
		for (int64_t n = 0; n < CALLS_MAX; n++) {
			_cleanup_free_ char *name = call_name(abi, n);

			check_call(&filter, abi, n, name ? name : "nothing",
				   abi == TRUTH_X86 ? i386 : p);
		}
	}
}

static void test_shipped(void **state)
{
	static const char *const sections[] = {
		"Policy=gui\n",
		"Policy=media\nDeny=mprotect arg2 bits 0x5\nDeny=kill arg1 lt 9\nDeny=@ipc\n",
		"Policy=office\nDeny=openat arg0 eq 5 arg1 gt 3\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		_cleanup_free_ char *policies = xasprintf("%s/../seccomp-policies",
							  getenv("TESTDATA")),
				    *profile = xasprintf("[App]\nCommand=none\n[Seccomp]\n%s",
							 sections[i]),
				    *text = NULL;
		_cleanup_(filter_of_release) struct filter_of f = { 0 };
		_cleanup_strv_ char **differences = NULL;
		struct error *error = NULL;

		assert_done(filter_of_profile(profile, policies, &f, &error), error);
		assert_done(seccomp_render_lxc(f.native, &text, &differences, &error), error);
		check_text(text, f.native);
		assert_true(strv_length(differences) >= 1); /* ABIs, always */
	}
}

static void render(const char *policy, char **ret, char ***ret_differences)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct error *error = NULL;

	assert_done(policy_read(policy, strlen(policy), "f", NULL, &p, &error), error);
	assert_done(seccomp_render_lxc(p, ret, ret_differences, &error), error);
}

static void test_rules(void **state)
{
	static const struct {
		const char *policy, *text;
	} rows[] = {
		{ "allow read write\n", "read allow\nwrite allow\n" },
		{ "allow read\ndeny write\ndeny open errno ENOSYS\n",
		  "read allow\nwrite errno 1\n" },
		{ "allow read arg0 eq 3 arg1 low 5\n",
		  "read allow [0,0x3,SCMP_CMP_EQ] [1,0x5,SCMP_CMP_MASKED_EQ,0xffffffff]\n" },
		{ "allow read arg0 lt 2\n",
		  "read allow [0,0x0,SCMP_CMP_MASKED_EQ,0xfffffffffffffffe]\n" },
		{ "allow read arg0 lt 3\n",
		  "read allow [0,0x2,SCMP_CMP_EQ]\n"
		  "read allow [0,0x0,SCMP_CMP_MASKED_EQ,0xfffffffffffffffe]\n" },
		{ "allow read\ndeny read arg2 bits 0x4 errno EACCES\n",
		  "read allow [2,0x0,SCMP_CMP_MASKED_EQ,0x4]\n"
		  "read errno 13 [2,0x4,SCMP_CMP_MASKED_EQ,0x4]\n" },
		{ "allow read arg0 eq 1\ndeny read arg0 low 1\nallow write\n",
		  "read errno 1 [0,0x1,SCMP_CMP_MASKED_EQ,0xffffffff]\nwrite allow\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = NULL;
		_cleanup_strv_ char **differences = NULL;

		render(rows[i].policy, &text, &differences);
		assert_string_equal(text + strlen("2\nallowlist errno 38\n[all]\n"), rows[i].text);
		assert_int_equal(strv_length(differences), 1);
	}
}

/* Too much to write down is denied, and said. */
static void test_too_many(void **state)
{
	static const char policy[] = "allow write\n"
				     "allow read arg0 gt 0 arg1 gt 0 arg2 gt 0\n"
				     "answer kill\n";
	_cleanup_free_ char *text = NULL;
	_cleanup_strv_ char **differences = NULL;

	(void)state;
	render(policy, &text, &differences);
	assert_null(strstr(text, "read"));
	assert_non_null(strstr(text, "write allow\n"));
	assert_int_equal(strv_length(differences), 3);
	assert_non_null(strstr(differences[0], "32 bits"));
	assert_non_null(strstr(differences[1], "kill"));
	assert_non_null(strstr(differences[2], "read is denied"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("lxc-seccomp", tests, NULL, NULL);
}
