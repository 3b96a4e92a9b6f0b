/* emit/policy: the text of a policy, and everything that is none. */

#include "emit/policy.h"

#include "base/buf.h"
#include "unit.h"

static int read_text(const char *text, struct policy **ret, struct error **err)
{
	return policy_read(text, strlen(text), "f", ret, err);
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
		{ "read\n", EINVAL, "f:1: neither 'allow' nor 'deny'" },
		{ "allowlist\n", EINVAL, "f:1: neither" },
		{ "2\ndenylist\n", EINVAL, "f:1: neither" },
		{ "allow\n", EINVAL, "f:1: not the name" },
		{ "allow Read\n", EINVAL, "f:1: not the name" },
		{ "allow *\n", EINVAL, "f:1: not the name" },
		{ "allow 0\x1b\n", EINVAL, "f:1: control character" },
		{ "allow\tread\n", EINVAL, "f:1: control character" },
		{ "allow read\r\n", EINVAL, "f:1: control character" },
		{ "allow read # why\n", EINVAL, "f:1: unexpected word: '#'" },
		{ "allow read errno EPERM\n", EINVAL, "f:1: unexpected word: 'errno'" },
		{ "allow read write\n", EINVAL, "f:1: unexpected word: 'write'" },
		{ "deny read optional errno EPERM\n", EINVAL, "f:1: unexpected word: 'errno'" },
		{ "deny read errno\n", EINVAL, "f:1: not an error" },
		{ "deny read errno 1\n", EINVAL, "f:1: not an error" },
		{ "deny read errno EAGAIN\n", EINVAL, "f:1: not an error" },
		{ "deny read arg6 eq 1\n", EINVAL, "f:1: a system call has arguments 0 to 5" },
		{ "deny read arg eq 1\n", EINVAL, "f:1: unexpected word" },
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
		{ "allow read\nallow read\n", EEXIST, "f:2: 'read' was decided in line 1" },
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
	assert_refused(policy_read("allow a\0b\n", 10, "f", &p, &error), error, EINVAL, "f:1: NUL");
	for (size_t i = 0; i < 30; i++)
		buf_adds(&text, "a ");
	assert_refused(read_text(text.data, &p, &error), error, E2BIG, "f:1: too many words");
	while (text.size <= POLICY_LINE_MAX)
		buf_adds(&text, " ");
	assert_refused(read_text(text.data, &p, &error), error, E2BIG, "f:1: line longer");
	while (text.size <= POLICY_FILE_MAX)
		buf_adds(&text, "\n");
	assert_refused(read_text(text.data, &p, &error), error, EFBIG, "f: larger");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
	};

	return cmocka_run_group_tests_name("policy", tests, NULL, NULL);
}
