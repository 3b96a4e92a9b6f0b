/*
 * Shipped policies, compiled and run in an interpreter: what the rules mean is what the programs
 * do, for every call of every ABI. Rows with answers are in tests/seccomp.
 */

#include "emit/seccomp.h"

#include <linux/audit.h>

#include "emit/policy-read.h"
#include "emit/seccomp-verify.h"
#include "filter-of.h"
#include "unit.h"

#define HIGH UINT64_C(0xdeadbeef00000000)

/* As profiles say it. */
static const char *const sections[] = {
	"Policy=gui\n",
	"Policy=gui\nAbi=i386\n",
	"Policy=gui\nAbi=i386\nAnswer=kill\n",
	"Policy=gui\nAbi=i386\nAnswer=log\n",
	"Policy=gui\nAbi=i386\nAllow=@socketcall\nAllow=modify_ldt\n",
	"Policy=gui\nAbi=i386\nDeny=@ipc\nDeny=select arg0 gt 64\nDeny=socket\n",
	"Policy=browser\n",
	"Policy=java\n",
	"Policy=media\nAbi=i386\n",
	"Policy=office\n",
};

static void make(const char *section, struct filter_of *ret)
{
	_cleanup_free_ char *policies = xasprintf("%s/../seccomp-policies", getenv("TESTDATA")),
			    *text = xasprintf("[App]\nCommand=none\n[Seccomp]\n%s", section);
	struct error *error = NULL;

	assert_done(filter_of_profile(text, policies, ret, &error), error);
}

/* Of two denials by different rules either error is good. */
static bool is_as_meant(struct policy_verdict got, struct policy_verdict meant)
{
	return got.kind == meant.kind;
}

static void check_call(const struct filter_of *f, enum truth_abi abi, int64_t number,
		       const char *name)
{
	static const uint64_t values[] = {
		0,	    1,	      2,	 10,
		16,	    17,	      64,	 0x80,
		0x5412,	    0x541d,   0x20000,	 0x10000000,
		UINT32_MAX, HIGH | 1, HIGH | 16, HIGH | 0x5412,
		UINT64_MAX,
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		for (size_t j = 0; j < ARRAY_SIZE(values); j++) {
			const uint64_t args[POLICY_ARGS] = { values[i], values[j], values[j],
							     values[i] };
			struct policy_verdict got = filter_answer(f, abi, number, args),
					      meant = filter_meant(f, abi, name, args);

			/* The upper halves are not there. */
			if (abi == TRUTH_X86 && (values[i] | values[j]) > UINT32_MAX)
				continue;
			if (!is_as_meant(got, meant))
				fail_msg("%d %s(%#lx, %#lx): %d %d instead of %d %d", abi, name,
					 values[i], values[j], got.kind, got.error, meant.kind,
					 meant.error);
		}
}

static void test_rules_are_what_programs_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		_cleanup_(filter_of_release) struct filter_of f = { 0 };

		make(sections[i], &f);
		for (enum truth_abi abi = 0; abi < TRUTH_ABI_MAX; abi++)
			for (int64_t n = -2; n < CALLS_MAX; n++) {
				_cleanup_free_ char *name = n < 0 ? NULL : call_name(abi, n);

				check_call(&f, abi, n, name ? name : "nothing");
			}
	}
}

static void test_no_other_architecture(void **state)
{
	static const uint32_t others[] = { AUDIT_ARCH_I386, AUDIT_ARCH_ARM, AUDIT_ARCH_AARCH64, 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		_cleanup_(filter_of_release) struct filter_of f = { 0 };

		make(sections[i], &f);
		for (int n = -1; n < CALLS_MAX; n++)
			for (size_t j = f.native->i386; j < ARRAY_SIZE(others); j++) {
				const struct seccomp_data data = { .nr = n, .arch = others[j] };

				assert_int_equal(bpf_run_all(&f.filter, &data),
						 SECCOMP_RET_ERRNO | ENOSYS);
			}
	}
}

/* What is to be logged is in the program that the kernel logs, and ENOSYS is not. */
static void test_log(void **state)
{
	_cleanup_(filter_of_release) struct filter_of f = { 0 }, quiet = { 0 };
	const uint64_t args[POLICY_ARGS] = { 0 };
	struct seccomp_data data = { .arch = AUDIT_ARCH_X86_64 };

	(void)state;
	make("Policy=gui\nAnswer=log\n", &f);
	make("Policy=gui\n", &quiet);
	assert_int_equal(f.filter.n, 2);
	assert_int_equal(f.filter.flags[0], 0);
	assert_int_equal(f.filter.flags[1], FILTER_LOG);
	assert_int_equal(quiet.filter.flags[0] | quiet.filter.flags[1], 0);
	data.nr = (int)call_number(TRUTH_X86_64, "ptrace");
	assert_int_equal(bpf_run(&f.filter.programs[1], &data), SECCOMP_RET_ERRNO | EPERM);
	assert_int_equal(filter_answer(&f, TRUTH_X86_64, data.nr, args).error, EPERM);
	data.nr = (int)call_number(TRUTH_X86_64, "clone3");
	assert_int_equal(bpf_run(&f.filter.programs[1], &data), SECCOMP_RET_ALLOW);
}

static int compile(const char *text, struct error **err)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	r = policy_read(text, strlen(text), "f", NULL, &p, err);
	if (r < 0)
		return r;
	r = seccomp_compile(p, &out, err);
	assert_true(r == 0 || out.size == 0);
	return r;
}

static void test_unknown_names(void **state)
{
	struct error *error = NULL;

	(void)state;
	assert_refused(compile("allow read\nallow xyzzy\n", &error), error, ENOSYS,
		       "f:2: unknown system call 'xyzzy'");
	assert_refused(compile("deny xyzzy arg0 eq 1\n", &error), error, ENOSYS, "f:1: unknown");
	assert_done(compile("allow read\nallow xyzzy optional\n", &error), error);
	assert_done(compile("allow socketcall\n", &error), error); /* of other architectures */
}

/* A filter that does anything else than its policy means is found out: what it lacks, and what only
 * the filter knows of. */
static void test_verified(void **state)
{
	static const char *const others[] = {
		"Policy=gui\nAllow=modify_ldt\n",
		"Policy=gui\nDeny=kill\n",
		"Policy=gui\nDeny=mmap arg2 bits 0x4\n",
		"Policy=gui\nDeny=fcntl arg0 gt 0x100000001\n",
		"Policy=gui\nAnswer=kill\n",
		"Policy=gui\nAllow=personality arg0 eq 8\n",
		"Policy=gui\nDeny=lseek arg1 eq 0x1234567812345678 arg2 eq 3\n",
	};
	_cleanup_(filter_of_release) struct filter_of gui = { 0 };
	struct error *error = NULL;

	(void)state;
	make("Policy=gui\n", &gui);
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		_cleanup_(filter_of_release) struct filter_of f = { 0 };

		make(others[i], &f);
		assert_refused(seccomp_verify(f.native, &gui.filter, &error), error, EPROTO,
			       "to what they do not say");
		assert_refused(seccomp_verify(gui.native, &f.filter, &error), error, EPROTO,
			       "to what they do not say");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_are_what_programs_do),
		cmocka_unit_test(test_no_other_architecture),
		cmocka_unit_test(test_log),
		cmocka_unit_test(test_verified),
		cmocka_unit_test(test_unknown_names),
	};

	return cmocka_run_group_tests_name("seccomp", tests, NULL, NULL);
}
