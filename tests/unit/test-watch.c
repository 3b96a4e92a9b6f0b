/*
 * emit/watch: what is told by the filter of who watches is what the compiled policy denies, and is
 * decided the same, for every call, with arguments at and around everything that a rule compares.
 */

#include "emit/watch.h"

#include <fcntl.h>
#include <linux/audit.h>

#include "base/fs.h"
#include "bpf.h"
#include "emit/policy-load.h"
#include "emit/policy-read.h"
#include "emit/policy-text.h"
#include "emit/seccomp.h"
#include "unit.h"

#define NUMBERS_MAX 600
#define X32_BIT	    0x40000000

/* Every operator, alone and together, and the ways in which rules of one call can stand together.
 */
static const char synthetic[] = "allow read\n"
				"deny read arg0 eq 0x100000002 errno EINVAL\n"
				"deny read arg1 gt 0x1ffffffff arg2 lt 0x200000001 errno EACCES\n"
				"allow write arg0 low 7\n"
				"allow write arg3 bits 0x8000000080000001\n"
				"allow write arg5 lt 9\n"
				"deny close arg0 gt 5\n"
				"allow open arg2 eq 3\n"
				"deny open arg1 eq 1 errno ENOSYS\n"
				"deny stat errno EACCES\n"
				"allow fstat\n"
				"deny lstat\n"
				"deny poll errno ENOSYS\n";

struct made {
	struct watch_policy policy;
	struct buf compiled, filters[WATCH_MODE_MAX];
	struct filter real, watching[WATCH_MODE_MAX];
};

static void made_release(struct made *m)
{
	watch_policy_release(&m->policy);
	buf_release(&m->compiled);
	for (size_t i = 0; i < WATCH_MODE_MAX; i++)
		buf_release(&m->filters[i]);
}

/* Numbered by its text, written and read back on the way. Takes `p` over. */
static void make(struct policy *p, struct made *ret)
{
	_cleanup_(policy_freep) struct policy *owned = p, *again = NULL;
	_cleanup_(watch_policy_release) struct watch_policy numbered = { 0 };
	_cleanup_free_ char *text = policy_render(owned);
	_cleanup_buf_ struct buf data = { 0 }, numbers = { 0 };
	struct error *error = NULL;

	assert_done(policy_read(text, strlen(text), "policy", NULL, &again, &error), error);
	assert_done(seccomp_compile(again, &ret->compiled, &error), error);
	assert_done(seccomp_number(again, &numbers, &error), error);
	assert_done(watch_policy_make(owned, numbers.data, numbers.size, &numbered, &error), error);
	assert_refused(watch_policy_make(owned, numbers.data, numbers.size - 1, &numbered, &error),
		       error, EPROTO, "bad numbers");
	watch_policy_write(&numbered, &data);
	assert_done(watch_policy_read(data.data, data.size, &ret->policy, &error), error);
	assert_int_equal(filter_parse(ret->compiled.data, ret->compiled.size, &ret->real), 0);
	for (size_t i = 0; i < WATCH_MODE_MAX; i++) {
		assert_done(watch_filter_render(&ret->policy, i, &ret->filters[i], &error), error);
		assert_int_equal(
			filter_parse(ret->filters[i].data, ret->filters[i].size, &ret->watching[i]),
			0);
	}
}

static void make_synthetic(struct made *ret)
{
	struct policy *p = NULL;
	struct error *error = NULL;

	assert_done(policy_read(synthetic, sizeof synthetic - 1, "f", NULL, &p, &error), error);
	make(p, ret);
}

static void make_shipped(const char *name, struct made *ret)
{
	_cleanup_free_ char *path = xasprintf("%s/../seccomp-policies", getenv("TESTDATA"));
	_cleanup_close_ int directory = -EBADF;
	struct policy *p = NULL;
	struct error *error = NULL;

	assert_done(fs_open_dir(AT_FDCWD, path, &directory, &error), error);
	assert_done(policy_load(directory, name, &p, &error), error);
	make(p, ret);
}

/* Where two rules deny the same call with other errors, libseccomp has an order of its own: then it
 * is the error of the other rule. */
static bool another_rule_says(const struct made *m, const struct seccomp_data *call,
			      const struct watch_rule *decided, uint32_t want)
{
	struct watch_policy others = m->policy;
	bool found = false;

	others.rules = xcalloc(m->policy.n, sizeof *others.rules);
	others.n = 0;
	for (size_t i = 0; i < m->policy.n; i++)
		if (&m->policy.rules[i] != decided)
			others.rules[others.n++] = m->policy.rules[i];
	found = want == (SECCOMP_RET_ERRNO | (uint32_t)watch_decide(&others, call).error);
	free(others.rules);
	return found;
}

static void compare(const struct made *m, const struct seccomp_data *call)
{
	struct watch_decision d = watch_decide(&m->policy, call);
	uint32_t real = bpf_run_all(&m->real, call),
		 want = d.error ? SECCOMP_RET_ERRNO | (uint32_t)d.error : SECCOMP_RET_ALLOW,
		 trace = bpf_run_all(&m->watching[WATCH_TRACE], call),
		 learn = bpf_run_all(&m->watching[WATCH_LEARN], call);

	if (real != want && !(d.rule && another_rule_says(m, call, d.rule, real)))
		fail_msg("call %d(%#llx, %#llx, %#llx) of %#x: %#x, decided %#x", call->nr,
			 call->args[0], call->args[1], call->args[2], call->arch, real, want);
	if (trace != (d.error ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW))
		fail_msg("call %d: %#x while tracing, decided %#x", call->nr, trace, want);
	/* What is denied is told; of what is allowed some. */
	assert_true(learn == SECCOMP_RET_USER_NOTIF || (learn == SECCOMP_RET_ALLOW && !d.error));
}

/* The value itself, what differs by one, and in either half. */
static uint64_t variant(uint64_t value, unsigned which)
{
	const uint64_t variants[] = {
		value,
		value + 1,
		value - 1,
		value ^ 1,
		value | UINT64_C(0xdeadbeef) << 32,
		value & UINT32_MAX,
		value + (UINT64_C(1) << 32),
		value - (UINT64_C(1) << 32),
		~value,
		0,
		UINT64_MAX,
	};

	return variants[which % ARRAY_SIZE(variants)];
}

#define VARIANTS 11U

static void compare_around(const struct made *m, const struct watch_rule *about)
{
	for (unsigned which = 0; which < VARIANTS * VARIANTS * VARIANTS; which++) {
		struct seccomp_data call = { .nr = (int)about->number, .arch = m->policy.arch };
		unsigned rest = which;

		for (size_t i = 0; i < POLICY_ARGS; i++) {
			if (!about->rule.has_condition[i])
				continue;
			call.args[i] = variant(about->rule.conditions[i].value, rest);
			rest /= VARIANTS;
		}
		compare(m, &call);
		if (rest)
			break;
	}
}

static void compare_all(const struct made *m)
{
	static const uint32_t others[] = { AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, 0 };

	for (int nr = -1; nr < NUMBERS_MAX; nr++) {
		struct seccomp_data call = { .nr = nr, .arch = m->policy.arch };

		compare(m, &call);
		call.nr |= X32_BIT;
		compare(m, &call);
		for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
			call = (struct seccomp_data){ .nr = nr, .arch = others[i] };
			compare(m, &call);
		}
	}
	for (size_t i = 0; i < m->policy.n; i++)
		compare_around(m, &m->policy.rules[i]);
}

static void test_shipped(void **state)
{
	static const char *const names[] = { "gui", "gate", "browser", "media", "office", "java" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(made_release) struct made m = { 0 };

		make_shipped(names[i], &m);
		compare_all(&m);
	}
}

static void test_operators(void **state)
{
	_cleanup_(made_release) struct made m = { 0 };

	(void)state;
	make_synthetic(&m);
	compare_all(&m);
	assert_string_equal(m.policy.rules[1].origin, "f:2");
	assert_int_equal(watch_arguments(&m.policy, 0), 7);
	assert_int_equal(watch_arguments(&m.policy, 1), 1 | 8 | 32);
}

static uint32_t number_of(const struct made *m, const char *name)
{
	for (size_t i = 0; i < m->policy.n; i++)
		if (!strcmp(m->policy.rules[i].rule.name, name))
			return m->policy.rules[i].number;
	fail_msg("no call '%s'", name);
	return 0;
}

/* What shows what an application needs is told while learning, and only then. */
static void test_shown(void **state)
{
	static const struct {
		const char *name;
		uint64_t args[POLICY_ARGS];
		bool told;
	} rows[] = {
		{ "connect", { 3, 0x7000, 16 }, true },
		{ "sendto", { 3, 0x7000, 1, 0, 0x7000, 16 }, true },
		{ "sendto", { 3, 0x7000, 1 }, false },
		{ "execve", { 0x7000 }, true },
		{ "openat", { 0xffffff9c, 0x7000, O_RDONLY | O_CLOEXEC }, false },
		{ "openat", { 0xffffff9c, 0x7000, O_WRONLY }, true },
		{ "openat", { 0xffffff9c, 0x7000, O_RDWR | O_CLOEXEC }, true },
		{ "openat", { 0xffffff9c, 0x7000, O_CREAT }, true },
		{ "open", { 0x7000, O_WRONLY }, true },
		{ "open", { 0x7000, O_RDONLY }, false },
		{ "read", { 0 }, false },
	};
	_cleanup_(made_release) struct made m = { 0 };

	(void)state;
	make_shipped("gui", &m);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct seccomp_data call = { .nr = (int)number_of(&m, rows[i].name),
					     .arch = m.policy.arch };

		memcpy(call.args, rows[i].args, sizeof call.args);
		compare(&m, &call);
		if (bpf_run_all(&m.watching[WATCH_LEARN], &call) !=
		    (rows[i].told ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW))
			fail_msg("row %zu: %s", i, rows[i].name);
	}
}

static void test_never(void **state)
{
	static const struct {
		const char *name;
		uint64_t args[POLICY_ARGS];
		bool never;
	} rows[] = {
		{ "bpf", { 0 }, true },
		{ "io_uring_setup", { 0 }, true },
		{ "ptrace", { 0 }, true },
		{ "mount", { 0 }, true },
		{ "clone3", { 0 }, true },
		{ "clone", { 0x10000011 }, true },
		{ "clone", { 0x01200011 }, false },
		{ "unshare", { 0x10000000 }, true },
		{ "unshare", { 0x200 }, false },
		{ "ioctl", { 0, 0xdead00005412 }, true },
		{ "ioctl", { 0, 0x5401 }, false },
		{ "socket", { 17, 3 }, true },
		{ "socket", { 0x10000001f, 3 }, true },
		{ "socket", { 2, 1, 132 }, true },
		{ "socket", { 2, 1, 6 }, false },
		{ "personality", { 0x40000 }, false },
		{ "mbind", { 0 }, false },
		{ "io_setup", { 0 }, false },
		{ "modify_ldt", { 0 }, false },
	};
	_cleanup_(made_release) struct made m = { 0 };
	struct seccomp_data call;

	(void)state;
	make_shipped("gui", &m);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		call = (struct seccomp_data){ .nr = (int)number_of(&m, rows[i].name),
					      .arch = m.policy.arch };
		memcpy(call.args, rows[i].args, sizeof call.args);
		if (watch_never(&m.policy, &call) != rows[i].never)
			fail_msg("row %zu: %s", i, rows[i].name);
	}
	/* Of another architecture, and without a name. */
	call = (struct seccomp_data){ .nr = 1, .arch = AUDIT_ARCH_I386 };
	assert_true(watch_never(&m.policy, &call));
	call = (struct seccomp_data){ .nr = NUMBERS_MAX, .arch = m.policy.arch };
	assert_true(watch_never(&m.policy, &call));
}

static void test_bad_files(void **state)
{
	_cleanup_(made_release) struct made m = { 0 };
	_cleanup_buf_ struct buf data = { 0 };

	(void)state;
	make_synthetic(&m);
	watch_policy_write(&m.policy, &data);
	for (size_t size = 0; size < data.size; size++) {
		struct watch_policy p = { 0 };
		struct error *error = NULL;

		assert_refused(watch_policy_read(data.data, size, &p, &error), error, EPROTO,
			       "bad list");
		assert_null(p.rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped),	  cmocka_unit_test(test_operators),
		cmocka_unit_test(test_shown),	  cmocka_unit_test(test_never),
		cmocka_unit_test(test_bad_files),
	};

	return cmocka_run_group_tests_name("watch", tests, NULL, NULL);
}
