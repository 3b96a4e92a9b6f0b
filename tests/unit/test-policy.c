/* emit/policy: the text of a policy, and everything that is none. */

#include "emit/policy-read.h"

#include <stdio.h>

#include "base/buf.h"
#include "unit.h"

static int read_text(const char *text, struct policy **ret, struct error **err)
{
	return policy_read(text, strlen(text), "f", NULL, ret, err);
}

static void test_rules(void **state)
{
	static const char text[] = "# comment\n"
				   "allow  read\n"
				   "allow futex_waitv optional\n"
				   "  deny clone3 errno ENOSYS\n"
				   "allow ioctl\n"
				   "deny ioctl arg1 low 0x5412\n"
				   "deny socket arg0 eq 2 arg2 gt 17 errno EACCES optional";
	_cleanup_(policy_freep) struct policy *p = NULL;
	const struct policy_rule *r;
	struct error *error = NULL;

	(void)state;
	assert_done(read_text(text, &p, &error), error);
	assert_int_equal(p->n_rules, 6);
	r = p->rules;
	assert_string_equal(r[0].name, "read");
	assert_true(r[0].allow);
	assert_int_equal(r[0].line, 2);
	assert_true(r[1].optional);
	assert_false(r[2].allow);
	assert_int_equal(r[2].error, ENOSYS);
	assert_false(policy_rule_has_conditions(&r[2]));
	assert_int_equal(r[4].error, EPERM);
	assert_true(r[4].has_condition[1]);
	assert_int_equal(r[4].conditions[1].how, POLICY_LOW);
	assert_int_equal(r[4].conditions[1].value, 0x5412);
	assert_int_equal(r[5].conditions[2].how, POLICY_GT);
	assert_int_equal(r[5].error, EACCES);
	assert_true(r[5].optional);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *message;
	} rows[] = {
		{ "", EINVAL, "f: no rule" },
		{ "# only\n\n# comments\n", EINVAL, "f: no rule" },
		{ "read\n", EINVAL, "f:1: not one of allow, deny" },
		{ "allowlist\n", EINVAL, "f:1: not one of" },
		{ "2\ndenylist\n", EINVAL, "f:1: not one of" },
		{ "allow\n", EINVAL, "f:1: not the name" },
		{ "allow Read\n", EINVAL, "f:1: not the name" },
		{ "allow *\n", EINVAL, "f:1: not the name" },
		{ "allow 0\x1b\n", EINVAL, "f:1: control character" },
		{ "allow\tread\n", EINVAL, "f:1: control character" },
		{ "allow read\r\n", EINVAL, "f:1: control character" },
		{ "allow read # why\n", EINVAL, "f:1: not the name of a system call: '#'" },
		{ "allow read errno EPERM\n", EINVAL, "f:1: unexpected word: 'errno'" },
		{ "allow read arg0 eq 1 arg1\n", EINVAL, "f:1: not one of eq" },
		{ "allow read read\n", EEXIST, "f:1: 'read' was decided in f:1" },
		{ "allow read arg0 eq 1\ndeny read\n", EEXIST, "f:2: 'read' was decided" },
		{ "allow @files\n", EINVAL, "f:1: sets are taken with 'use'" },
		{ "use files\n", EINVAL, "f:1: not the name of a set" },
		{ "use @Files\n", EINVAL, "f:1: not the name of a set" },
		{ "use @files\n", ENOENT, "f:1: no set '@files'" },
		{ "set @abc\nallow read\nend\nuse @abd\n", ENOENT,
		  "f:4: no set '@abd'; is '@abc'" },
		{ "set @abc\nallow read\n", EINVAL, "f:1: 'end' is missing" },
		{ "set @abc\nset @abd\n", EINVAL, "f:2: 'end' is missing, of the set in line 1" },
		{ "set @abc\nend\n", EINVAL, "f:2: the set '@abc' is empty" },
		{ "set @abc\nallow read\nend\n", EINVAL, "f: no rule" },
		{ "set @abc\nallow read\nend\nset @abc\n", EEXIST, "f:4: there is a set" },
		{ "set @abc\nallow read read\nend\n", EEXIST, "f:2: 'read' was decided" },
		{ "set @abc\nuse @abc\n", EINVAL, "f:2: a set is made of calls" },
		{ "set @abc\ndeny @abc\n", EINVAL, "f:2: a set is made of calls" },
		{ "set @abc\ninclude gui\n", EINVAL, "f:2: a set is made of calls" },
		{ "set @abc never\nallow read\n", EINVAL, "f:2: a set that is marked 'never'" },
		{ "set @abc ever\n", EINVAL, "f:1: unexpected word: 'ever'" },
		{ "end\n", EINVAL, "f:1: 'end' without a set" },
		{ "include gui\n", EINVAL, "f:1: nothing can be included here" },
		{ "include ../gui\n", EINVAL, "f:1: not the name of a policy" },
		{ "answer perhaps\n", EINVAL, "f:1: not one of errno, kill, log" },
		{ "answer log\nanswer log\n", EEXIST, "f:2: a second answer" },
		{ "abi x32\n", EINVAL, "f:1: not one of native, i386" },
		{ "abi i386\nabi native\n", EEXIST, "f:2: a second ABI" },
		{ "allow read write arg0 eq 1\n", EINVAL, "f:1: conditions are for one" },
		{ "allow 1read\n", EINVAL, "f:1: not the name of a system call" },
		{ "allow read arg0 eq 1 write\n", EINVAL, "f:1: unexpected word: 'write'" },
		{ "deny read optional errno EPERM\n", EINVAL, "f:1: unexpected word: 'errno'" },
		{ "deny read errno\n", EINVAL, "f:1: not an error" },
		{ "deny read errno 1\n", EINVAL, "f:1: not an error" },
		{ "deny read errno EAGAIN\n", EINVAL, "f:1: not an error" },
		{ "deny read arg6 eq 1\n", EINVAL, "f:1: a system call has arguments 0 to 5" },
		{ "deny read arg eq 1\n", EINVAL, "f:1: not the name of a system call" },
		{ "deny read arg0\n", EINVAL, "f:1: not one of eq" },
		{ "deny read arg0 ne 1\n", EINVAL, "f:1: not one of eq" },
		{ "deny read arg0 eq\n", EINVAL, "f:1: not a number" },
		{ "deny read arg0 eq x\n", EINVAL, "f:1: not a number" },
		{ "deny read arg0 eq 0x\n", EINVAL, "f:1: not a number" },
		{ "deny read arg0 eq 0xg\n", EINVAL, "f:1: not a number" },
		{ "deny read arg0 eq 0x10000000000000000\n", EINVAL, "f:1: not a number" },
		{ "deny read arg0 eq -1\n", EINVAL, "f:1: not a number" },
		{ "deny read arg0 low 0x100000000\n", ERANGE, "f:1: 'low' compares 32 bits" },
		{ "deny read arg0 bits 0\n", EINVAL, "f:1: 'bits' needs" },
		{ "deny read arg0 eq 1 arg0 eq 2\n", EINVAL, "f:1: two conditions for argument 0" },
		{ "allow read\nallow read\n", EEXIST, "f:2: 'read' was decided in f:1" },
		{ "allow read\ndeny read\n", EEXIST, "f:2: 'read' was decided" },
		{ "allow read\nallow read arg0 eq 1\n", EEXIST, "f:2: 'read' was decided" },
		{ "deny read\ndeny read arg0 eq 1\n", EEXIST, "f:2: 'read' was decided" },
		{ "deny read arg0 eq 1\ndeny read arg0 eq 1 errno ENOSYS\n", EEXIST,
		  "f:2: 'read'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy *p = NULL;
		struct error *error = NULL;

		assert_refused(read_text(rows[i].text, &p, &error), error, rows[i].code,
			       rows[i].message);
		assert_null(p);
	}
}

static void test_limits(void **state)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct policy *p = NULL;
	struct error *error = NULL;

	(void)state;
	assert_refused(policy_read("allow a\0b\n", 10, "f", NULL, &p, &error), error, EINVAL,
		       "f:1: NUL");
	for (size_t i = 0; i < 50; i++)
		buf_adds(&text, "a ");
	assert_refused(read_text(text.data, &p, &error), error, E2BIG, "f:1: too many words");
	while (text.size <= POLICY_LINE_MAX)
		buf_adds(&text, " ");
	assert_refused(read_text(text.data, &p, &error), error, E2BIG, "f:1: line longer");
	while (text.size <= POLICY_FILE_MAX)
		buf_adds(&text, "\n");
	assert_refused(read_text(text.data, &p, &error), error, EFBIG, "f: larger");
}

static void test_sets(void **state)
{
	static const char text[] = "set @a\n"
				   "allow read write\n"
				   "allow ioctl\n"
				   "deny ioctl arg1 low 1\n"
				   "end\n"
				   "set @b\n"
				   "allow kill arg0 eq 0\n"
				   "allow kill arg0 eq 1\n"
				   "allow tkill optional\n"
				   "end\n"
				   "use @a\n"
				   "deny @b errno EACCES\n"
				   "answer kill\n"
				   "abi i386\n";
	_cleanup_(policy_freep) struct policy *p = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(read_text(text, &p, &error), error);
	assert_int_equal(p->n_sets, 2);
	assert_int_equal(p->n_rules, 6);
	assert_true(p->rules[2].allow);
	assert_false(p->rules[3].allow);
	assert_string_equal(p->rules[4].name, "kill");
	assert_false(policy_rule_has_conditions(&p->rules[4]));
	assert_int_equal(p->rules[4].error, EACCES);
	assert_true(p->rules[5].optional);
	assert_int_equal(p->answer, POLICY_ANSWER_KILL);
	assert_true(p->i386);
	assert_string_equal(policy_set_of_call(p, "ioctl")->name, "@a");
	assert_null(policy_set_of_call(p, "close"));
}

/* Files by name: "loop" includes itself by way of another, "deep-N" the next one, "many" a lot. */
static int read_other(void *user, const char *name, char **ret, size_t *ret_size,
		      struct error **err)
{
	unsigned depth = 0;

	(void)user;
	if (!strcmp(name, "missing"))
		return error_set(err, ENOENT, "no file '%s'", name);
	if (sscanf(name, "deep-%u", &depth) == 1)
		*ret = xasprintf("include deep-%u\n", depth + 1);
	else if (!strcmp(name, "loop"))
		*ret = xstrdup("include pool\n");
	else if (!strcmp(name, "pool"))
		*ret = xstrdup("allow read\ninclude loop\n");
	else if (!strcmp(name, "empty"))
		*ret = xstrdup("# nothing\n");
	else
		*ret = xstrdup("set @x\nallow read\nend\n\nallow nothing@\n");
	*ret_size = strlen(*ret);
	return 0;
}

static void test_includes(void **state)
{
	static const struct policy_files files = { .read = read_other };
	static const struct {
		const char *text;
		int code;
		const char *message;
	} rows[] = {
		{ "allow write\ninclude missing\n", ENOENT, "f:2: no file 'missing'" },
		{ "include loop\n", ELOOP,
		  "f:1: loop.policy:1: pool.policy:2: 'loop.policy' includes itself" },
		{ "include deep-1\n", E2BIG, "files include each other more than 4 deep" },
		{ "include other\n", EINVAL, "f:1: other.policy:5: not the name" },
		{ "include other x\n", EINVAL, "f:1: unexpected word: 'x'" },
	};
	_cleanup_buf_ struct buf many = { 0 };
	struct policy *p = NULL;
	struct error *error = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_refused(
			policy_read(rows[i].text, strlen(rows[i].text), "f", &files, &p, &error),
			error, rows[i].code, rows[i].message);
	buf_adds(&many, "allow read\n");
	for (size_t i = 1; i < POLICY_INCLUDES_MAX; i++)
		buf_adds(&many, "include empty\n");
	assert_done(policy_read(many.data, many.size, "f", &files, &p, &error), error);
	p = policy_free(p);
	buf_adds(&many, "include empty\n");
	assert_refused(policy_read(many.data, many.size, "f", &files, &p, &error), error, E2BIG,
		       "f:17: more than 16 files");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),	 cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),	 cmocka_unit_test(test_sets),
		cmocka_unit_test(test_includes),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
