/* emit/policy-profile: what a profile adds to a policy, and the sets that are shipped. */

#include "emit/policy-profile.h"

#include <fcntl.h>

#include "base/fs.h"
#include "base/strv.h"
#include "emit/policy-load.h"
#include "emit/policy-read.h"
#include "emit/policy-text.h"
#include "filter-of.h"
#include "unit.h"

static int apply(const char *section, struct policy **ret, struct error **err)
{
	_cleanup_free_ char *policies = xasprintf("%s/../seccomp-policies", getenv("TESTDATA")),
			    *text = xasprintf("[App]\nCommand=none\n[Seccomp]\n%s", section);
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(policy_freep) struct policy *p = NULL;
	_cleanup_close_ int directory = -EBADF;
	int r;

	r = profile_read(text, strlen(text), "f", "f", &profile, err);
	if (r >= 0)
		r = fs_open_dir(AT_FDCWD, policies, &directory, err);
	if (r >= 0)
		r = policy_load(directory, profile->seccomp_policy, &p, err);
	if (r >= 0)
		r = policy_apply(p, profile, err);
	if (r >= 0)
		*ret = TAKE_PTR(p);
	return r;
}

static void test_refused(void **state)
{
	static const struct {
		const char *section;
		int code;
		const char *message;
	} rows[] = {
		{ "Allow=bpf\n", EPERM,
		  "[Seccomp] Allow=: 'bpf' is what no application may have (@kernel-programs)" },
		{ "Allow=bpf arg0 eq 1\n", EPERM, "no application may have" },
		{ "Allow=io_uring_setup\n", EPERM, "no application may have" },
		{ "Allow=userfaultfd\n", EPERM, "no application may have" },
		{ "Allow=keyctl\n", EPERM, "no application may have (@keyrings)" },
		{ "Allow=perf_event_open\n", EPERM, "no application may have" },
		{ "Allow=fsopen\n", EPERM, "no application may have (@mounts)" },
		{ "Allow=move_mount\n", EPERM, "no application may have (@mounts)" },
		{ "Allow=open_tree_attr\n", EPERM, "no application may have (@mounts)" },
		{ "Allow=process_vm_readv\n", EPERM, "no application may have" },
		{ "Allow=kcmp\n", EPERM, "no application may have" },
		{ "Allow=ptrace\n", EPERM, "no application may have" },
		{ "Allow=open_by_handle_at\n", EPERM, "no application may have" },
		{ "Allow=kexec_load\n", EPERM, "no application may have" },
		{ "Allow=init_module\n", EPERM, "no application may have" },
		{ "Allow=setns\n", EPERM, "no application may have" },
		{ "Allow=clone3\n", EPERM, "no application may have" },
		{ "Allow=@mounts\n", EPERM, "'@mounts' is what no application may have" },
		{ "Allow=ioctl\n", EPERM, "what it denies no profile can allow" },
		{ "Allow=ioctl arg1 low 0x5412\n", EPERM, "what it denies no profile can allow" },
		{ "Allow=clone arg0 bits 0x10000000\n", EPERM, "what it denies" },
		{ "Allow=socket arg0 low 17\n", EPERM, "what it denies" },
		{ "Allow=xyzzy\n", ENOENT, "[Seccomp] Allow=: no system call 'xyzzy'" },
		{ "Allow=modify_ltd\n", ENOENT, "is 'modify_ldt' meant?" },
		{ "Allow=@numas\n", ENOENT, "no set '@numas'; is '@numa' meant?" },
		{ "Allow=read write\n", EINVAL, "unexpected word: 'write'" },
		{ "Allow=read errno EPERM\n", EINVAL, "unexpected word: 'errno'" },
		{ "Allow=@numa arg0 eq 1\n", EINVAL, "unexpected word: 'arg0'" },
		{ "Deny=xyzzy\n", ENOENT, "[Seccomp] Deny=: no system call" },
		{ "Deny=@xyzzy\n", ENOENT, "[Seccomp] Deny=: no set '@xyzzy'" },
		{ "Deny=read errno EAGAIN\n", EINVAL, "not an error that a rule can give" },
		{ "Policy=xyzzy\n", ENOENT, "xyzzy.policy" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;
		struct policy *p = NULL;

		assert_refused(apply(rows[i].section, &p, &error), error, rows[i].code,
			       rows[i].message);
		assert_null(p);
	}
}

/* Said again, it is the same; and the text of a policy reads back to it. */
static void test_text(void **state)
{
	static const char *const sections[] = {
		"Policy=gui\n",
		"Allow=read\nAllow=@files\nAllow=@devices\nAllow=@sockets\n", /* all there already
									       */
		"Allow=modify_ldt\nAllow=@old-aio\nDeny=kill\n",
		"Deny=kill\nDeny=mmap arg2 bits 0x4\nAnswer=kill\n",
		"Abi=i386\nAnswer=log\nAllow=personality\nDeny=@sockets errno EACCES\n",
	};
	_cleanup_free_ char *plain = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++) {
		_cleanup_(policy_freep) struct policy *p = NULL, *again = NULL;
		_cleanup_free_ char *text = NULL, *twice = NULL;
		struct error *error = NULL;

		assert_done(apply(sections[i], &p, &error), error);
		text = policy_render(p);
		assert_done(policy_read(text, strlen(text), "f", NULL, &again, &error), error);
		twice = policy_render(again);
		assert_string_equal(text, twice);
		assert_int_equal(p->n_rules, again->n_rules);
		assert_int_equal(p->answer, again->answer);
		assert_int_equal(p->i386, again->i386);
		if (i == 0)
			plain = xstrdup(text);
		if (i == 1)
			assert_string_equal(text, plain);
		if (i > 1)
			assert_string_not_equal(text, plain);
	}
}

static size_t sets_with(const struct policy *p, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_sets; i++)
		for (size_t j = 0; j < p->sets[i].n_rules; j++) {
			const struct policy_rule *r = &p->sets[i].rules[j];

			if (strcmp(r->name, name) || (!r->allow && policy_rule_has_conditions(r)))
				continue;
			n++;
			break;
		}
	return n;
}

/* Nobody forgot a call: each that libseccomp knows is in one set, and decided by every policy. */
static void test_every_call_is_in_one_set(void **state)
{
	static const char *const policies[] = { "gui", "browser", "media", "office", "java" };
	size_t found = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(policies); i++) {
		_cleanup_free_ char *section = xasprintf("Policy=%s\n", policies[i]);
		_cleanup_(policy_freep) struct policy *p = NULL;
		struct error *error = NULL;

		assert_done(apply(section, &p, &error), error);
		for (int64_t n = 0; n < CALLS_MAX; n++) {
			_cleanup_free_ char *name = call_name(TRUTH_X86_64, n);
			size_t rule = 0;

			if (!name)
				continue;
			found++;
			if (sets_with(p, name) != 1)
				fail_msg("%s is in %zu sets", name, sets_with(p, name));
			while (rule < p->n_rules && strcmp(p->rules[rule].name, name))
				rule++;
			if (rule == p->n_rules)
				fail_msg("%s does not decide %s", policies[i], name);
		}
	}
	assert_true(found > 5 * 300);
}

/* What liblxc denies to every process of a box no profile could have. */
static void test_deny_list_of_liblxc(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/../seccomp-policies/lxc-deny.policy",
					      getenv("TESTDATA")),
			    *text = NULL;
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct error *error = NULL;
	char *rest, *line;
	size_t found = 0;

	(void)state;
	assert_done(fs_read(AT_FDCWD, path, POLICY_FILE_MAX, &text, NULL, &error), error);
	assert_done(apply("Policy=gui\n", &p, &error), error);
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		char *end = strstr(line, " errno 1");
		const struct policy_set *set;

		if (!end || end[strlen(" errno 1")])
			continue;
		*end = '\0';
		set = policy_set_of_call(p, line);
		if (!set || !set->never)
			fail_msg("a profile could allow '%s'", line);
		found++;
	}
	assert_true(found > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_every_call_is_in_one_set),
		cmocka_unit_test(test_deny_list_of_liblxc),
	};

	return cmocka_run_group_tests_name("policy-profile", tests, NULL, NULL);
}
