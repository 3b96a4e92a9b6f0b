/* base/ini: what a line may be, and what a message says of one that may not. */

#include "base/ini.h"

#include "base/buf.h"
#include "unit.h"

/* Writes down what the reader says: "[S]" and "S.K=V;". */
static int note(void *user, const struct ini_entry *e, struct error **err)
{
	(void)err;
	if (e->key)
		buf_addf(user, "%s.%s=%s;", e->section, e->key, e->value);
	else
		buf_addf(user, "[%s]", e->section);
	return 0;
}

static int refuse_second(void *user, const struct ini_entry *e, struct error **err)
{
	(void)e;
	return ++*(int *)user == 2 ? error_set(err, EDOM, "no more") : 0;
}

static int read_text(const char *text, struct buf *notes, struct error **err)
{
	return ini_read(text, strlen(text), "f", note, notes, err);
}

static void test_accepted(void **state)
{
	static const struct {
		const char *text, *notes;
	} rows[] = {
		{ "", "" },
		{ "\n\n# comment = [x]\n   # another\n", "" },
		{ "[A]\nKey=value\n", "[A]A.Key=value;" },
		{ "[A]\nKey=value", "[A]A.Key=value;" },
		{ "[A]\n  Key =  a b  \n", "[A]A.Key=a b;" },
		{ "[A]\nKey=\n[B]\nKey=x\n[A]\n", "[A]A.Key=;[B]B.Key=x;[A]" },
		{ "[A]\nKey=a=b#c[d]\"e\\\n", "[A]A.Key=a=b#c[d]\"e\\;" },
		{ "[A]\nKey=$HOME %n `x`\n", "[A]A.Key=$HOME %n `x`;" },
		{ "[A]\nKey=f\xc3\xbcr\n", "[A]A.Key=f\xc3\xbcr;" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf notes = { 0 };
		struct error *error = NULL;

		assert_done(read_text(rows[i].text, &notes, &error), error);
		assert_string_equal(notes.data ? notes.data : "", rows[i].notes);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "Key=1\n", "f:1: Key= stands before" },
		{ "[A]\nnonsense\n", "f:2: neither" },
		{ "[A]\n=x\n", "f:2: not a key" },
		{ "[A]\nA key=x\n", "f:2: not a key: 'A key'" },
		{ "[A]\nlxc.hook=x\n", "f:2: not a key" },
		{ "[A\nKey=x\n", "f:1: ']' expected" },
		{ "[\n", "f:1: ']' expected" },
		{ "[]\n", "f:1: not a section" },
		{ "[A B]\n", "f:1: not a section" },
		{ "[A] # x\n", "f:1: ']' expected" },
		{ "[A]\r\n", "f:1: control character" },
		{ "[A]\n\n\nKey=a\tb\n", "f:4: control character" },
		{ "[A]\nKey=\x1b[31m\n", "'Key=\\x1b[31m'" },
		{ "[A]\nKey=\xff\n",
		  "f:2: control character, change of direction or invalid UTF-8" },
		{ "[A]\nKey=\xe2\x80\xae\n", "f:2: control character, change of direction" },
		{ "# \xe2\x81\xa6\n", "f:1: control character, change of direction" },
		{ "# \xff\n", "f:1: control character, change" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf notes = { 0 };
		struct error *error = NULL;

		assert_refused(read_text(rows[i].text, &notes, &error), error, EINVAL,
			       rows[i].message);
	}
}

static void test_nul(void **state)
{
	static const char text[] = "[A]\nKey=a\0b\n";
	_cleanup_buf_ struct buf notes = { 0 };
	struct error *error = NULL;

	(void)state;
	assert_refused(ini_read(text, sizeof text - 1, "f", note, &notes, &error), error, EINVAL,
		       "f:2: NUL byte");
}

static void test_limits(void **state)
{
	_cleanup_buf_ struct buf text = { 0 }, notes = { 0 };
	struct error *error = NULL;

	(void)state;
	buf_adds(&text, "[A]\nKey=");
	while (text.size < INI_LINE_MAX + 4)
		buf_adds(&text, "x");
	assert_done(read_text(text.data, &notes, &error), error);
	buf_adds(&text, "x");
	assert_refused(read_text(text.data, &notes, &error), error, EINVAL, "f:2: line longer");
	while (text.size <= INI_FILE_MAX)
		buf_adds(&text, "\n#");
	assert_refused(read_text(text.data, &notes, &error), error, EFBIG, "f: larger");
}

static void test_error_of_the_callback_gets_a_place(void **state)
{
	struct error *error = NULL;
	int count = 0;

	(void)state;
	assert_refused(ini_read("[A]\n\nK=1\nK=2\n", 14, "f", refuse_second, &count, &error), error,
		       EDOM, "f:3: no more");
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_error_of_the_callback_gets_a_place),
	};

	return cmocka_run_group_tests_name("ini", tests, NULL, NULL);
}
