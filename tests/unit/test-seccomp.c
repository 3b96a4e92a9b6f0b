/*
 * The shipped policy, compiled and run in an interpreter: a table of calls with their answers, and
 * what must hold for every call on every ABI.
 */

#include "emit/seccomp.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <seccomp.h>

#include "base/fs.h"
#include "bpf.h"
#include "unit.h"

#define X32_BIT	    0x40000000
#define NUMBERS_MAX 600 /* beyond the last call of any ABI here */

struct compiled {
	struct policy *policy;
	struct buf file;
	struct filter filter;
};

static int make_filter(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/../seccomp-policies/gui.policy",
					      getenv("TESTDATA")),
			    *text = NULL;
	struct compiled *c = xcalloc(1, sizeof *c);
	struct error *error = NULL;
	size_t size;

	*state = c;
	if (fs_read(AT_FDCWD, path, POLICY_FILE_MAX, &text, &size, &error) < 0 ||
	    policy_read(text, size, path, &c->policy, &error) < 0 ||
	    seccomp_compile(c->policy, path, &c->file, &error) < 0) {
		print_error("%s\n", error->message);
		error_free(error);
		return -1;
	}
	return filter_parse(c->file.data, c->file.size, &c->filter);
}

static int free_filter(void **state)
{
	struct compiled *c = *state;

	policy_free(c->policy);
	buf_release(&c->file);
	free(c);
	return 0;
}

static uint32_t answer(const struct compiled *c, uint32_t arch, uint32_t number,
		       const uint64_t args[6])
{
	struct seccomp_data data = { .nr = (int)number, .arch = arch };

	if (args)
		memcpy(data.args, args, sizeof data.args);
	return bpf_run_all(&c->filter, &data);
}

static uint32_t number_of(const char *name)
{
	int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);

	if (number < 0)
		fail_msg("no call '%s'", name);
	return (uint32_t)number;
}

#define HIGH UINT64_C(0xdeadbeef00000000)

static void test_truth_table(void **state)
{
	static const struct {
		const char *name;
		uint64_t args[6];
		int error; /* 0: allowed */
	} rows[] = {
		/* What every program needs, and what some do. */
		{ "read", { 0 }, 0 },
		{ "execve", { 0 }, 0 },
		{ "futex", { 0 }, 0 },
		{ "clone", { 0x3d0f00 }, 0 },  /* pthread_create */
		{ "clone", { 0x1200011 }, 0 }, /* fork */
		{ "mmap", { 0, 4096, 7 }, 0 },
		{ "seccomp", { 0 }, 0 },
		{ "memfd_create", { 0 }, 0 },
		{ "mknodat", { 0 }, 0 },
		{ "shmget", { 0 }, 0 },
		{ "landlock_create_ruleset", { 0 }, 0 },
		{ "unshare", { 0x200 }, 0 }, /* CLONE_FS */
		/* libc falls back from this one only. */
		{ "clone3", { 0 }, ENOSYS },
		/* Ways out, and rarely used parts of the kernel. */
		{ "add_key", { 0 }, EPERM },
		{ "bpf", { 0 }, EPERM },
		{ "chroot", { 0 }, EPERM },
		{ "fsopen", { 0 }, EPERM },
		{ "init_module", { 0 }, EPERM },
		{ "io_uring_setup", { 0 }, EPERM },
		{ "kexec_load", { 0 }, EPERM },
		{ "keyctl", { 0 }, EPERM },
		{ "mount", { 0 }, EPERM },
		{ "move_mount", { 0 }, EPERM },
		{ "open_by_handle_at", { 0 }, EPERM },
		{ "perf_event_open", { 0 }, EPERM },
		{ "pidfd_getfd", { 0 }, EPERM },
		{ "pivot_root", { 0 }, EPERM },
		{ "process_vm_readv", { 0 }, EPERM },
		{ "ptrace", { 0 }, EPERM },
		{ "reboot", { 0 }, EPERM },
		{ "setns", { 0 }, EPERM },
		{ "umount2", { 0 }, EPERM },
		{ "userfaultfd", { 0 }, EPERM },
		/* Namespaces. */
		{ "clone", { 0x10000011 }, EPERM },
		{ "clone", { 0x20000 }, EPERM },
		{ "clone", { HIGH | 0x10000011 }, EPERM },
		{ "clone", { 0x7e020000 }, EPERM },
		{ "unshare", { 0x10000000 }, EPERM },
		{ "unshare", { 0x40000200 }, EPERM },
		{ "unshare", { 0x80 }, EPERM },
		/* Terminals; the kernel looks at the lower half of the request alone. */
		{ "ioctl", { 0, 0x5401 }, 0 },
		{ "ioctl", { 0, 0x5412 }, EPERM },
		{ "ioctl", { 5, HIGH | 0x5412 }, EPERM },
		{ "ioctl", { 0, 0xffffffff00005412 }, EPERM },
		{ "ioctl", { 0, 0x541c }, EPERM },
		{ "ioctl", { 0, 0x100005412 }, EPERM },
		{ "ioctl", { 0, 0x5423 }, EPERM },
		/* Socket families and protocols. */
		{ "socket", { 1, 1 }, 0 },
		{ "socket", { 2, 1, 6 }, 0 },
		{ "socket", { 2, 2, 17 }, 0 },
		{ "socket", { 10, 1 }, 0 },
		{ "socket", { 10, 2, 58 }, 0 },
		{ "socket", { 16, 3, 0 }, 0 },
		{ "socket", { 16, 3, 15 }, EAFNOSUPPORT },
		{ "socket", { 16, 3, HIGH }, EAFNOSUPPORT },
		{ "socket", { 17, 3 }, EAFNOSUPPORT },
		{ "socket", { 4, 2 }, EAFNOSUPPORT },
		{ "socket", { HIGH | 4, 2 }, EAFNOSUPPORT },
		{ "socket", { 31, 3 }, EAFNOSUPPORT },
		{ "socket", { 38, 5 }, EAFNOSUPPORT },
		{ "socket", { 40, 1 }, EAFNOSUPPORT },
		{ "socket", { 0xffffffffffffffff, 1 }, EAFNOSUPPORT },
		{ "socket", { 2, 1, 132 }, EPERM },
		{ "socket", { 2, 6, 33 }, EPERM },
		{ "socket", { 10, 6, 33 }, EPERM },
		{ "socket", { 10, 1, 262 }, EPERM },
		/* Execution domains. */
		{ "personality", { 0 }, 0 },
		{ "personality", { 0xffffffff }, 0 },
		{ "personality", { 0xffffffffffffffff }, 0 },
		{ "personality", { 0x40000 }, ENOSYS },
		{ "personality", { 0x400000 }, ENOSYS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t got = answer(*state, AUDIT_ARCH_X86_64, number_of(rows[i].name),
				      rows[i].args);
		uint32_t want = rows[i].error ? SECCOMP_RET_ERRNO | (uint32_t)rows[i].error
					      : SECCOMP_RET_ALLOW;

		if (got != want)
			fail_msg("%s(%#lx, %#lx, %#lx): %#x instead of %#x", rows[i].name,
				 rows[i].args[0], rows[i].args[1], rows[i].args[2], got, want);
	}
}

static void test_no_other_abi(void **state)
{
	static const uint32_t others[] = {
		AUDIT_ARCH_I386,
		AUDIT_ARCH_ARM,
		AUDIT_ARCH_AARCH64,
		0,
	};

	for (uint32_t n = 0; n < NUMBERS_MAX; n++) {
		for (size_t i = 0; i < ARRAY_SIZE(others); i++)
			assert_int_equal(answer(*state, others[i], n, NULL),
					 SECCOMP_RET_ERRNO | ENOSYS);
		assert_int_equal(answer(*state, AUDIT_ARCH_X86_64, n | X32_BIT, NULL),
				 SECCOMP_RET_ERRNO | ENOSYS);
	}
}

/* A call that is denied is denied whatever its arguments are. */
static void test_arguments_open_nothing(void **state)
{
	static const uint64_t patterns[] = { 1, 0xffffffff, HIGH, ~UINT64_C(0), 0x5412 };

	for (uint32_t n = 0; n < NUMBERS_MAX; n++) {
		if (answer(*state, AUDIT_ARCH_X86_64, n, NULL) == SECCOMP_RET_ALLOW ||
		    n == number_of("personality"))
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
			uint64_t args[6];

			for (size_t j = 0; j < 6; j++)
				args[j] = patterns[i];
			assert_int_not_equal(answer(*state, AUDIT_ARCH_X86_64, n, args),
					     SECCOMP_RET_ALLOW);
		}
	}
}

/* What the policy says is what the programs do, rule by rule. */
static void test_unconditional_rules(void **state)
{
	const struct compiled *c = *state;

	for (size_t i = 0; i < c->policy->n_rules; i++) {
		const struct policy_rule *r = &c->policy->rules[i];
		int number = seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, r->name);
		uint32_t want = r->allow ? SECCOMP_RET_ALLOW
					 : SECCOMP_RET_ERRNO | (uint32_t)r->error;

		if (number < 0 || policy_rule_has_conditions(r))
			continue;
		if (answer(c, AUDIT_ARCH_X86_64, (uint32_t)number, NULL) != want)
			fail_msg("%s", r->name);
	}
}

/* Nobody forgot a call: each that libseccomp knows is decided in the file. */
static void test_every_call_is_decided(void **state)
{
	const struct compiled *c = *state;

	for (int n = 0; n < NUMBERS_MAX; n++) {
		_cleanup_free_ char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86_64, n);
		size_t i = 0;

		while (name && i < c->policy->n_rules && strcmp(c->policy->rules[i].name, name))
			i++;
		if (name && i == c->policy->n_rules)
			fail_msg("%s is neither allowed nor denied", name);
	}
}

static int compile(const char *text, struct error **err)
{
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	r = policy_read(text, strlen(text), "f", &p, err);
	if (r < 0)
		return r;
	r = seccomp_compile(p, "f", &out, err);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truth_table),
		cmocka_unit_test(test_no_other_abi),
		cmocka_unit_test(test_arguments_open_nothing),
		cmocka_unit_test(test_unconditional_rules),
		cmocka_unit_test(test_every_call_is_decided),
		cmocka_unit_test(test_unknown_names),
	};

	return cmocka_run_group_tests_name("seccomp", tests, make_filter, free_filter);
}
