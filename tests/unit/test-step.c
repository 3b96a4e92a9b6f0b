/* profile/step: steps of a [Test], and what makes them a test. */

#include "profile/step.h"

#include <stdlib.h>

#include "base/loop.h"
#include "base/strv.h"
#include "profile/load.h"
#include "unit.h"

static void test_every_verb(void **state)
{
	static const struct {
		const char *text;
		enum step_verb verb;
		const char *name, *word;
	} rows[] = {
		{ "key ctrl+shift+s", STEP_KEY, NULL, "ctrl+shift+s" },
		{ "key  Return", STEP_KEY, NULL, "Return" },
		{ "type two  words", STEP_TYPE, NULL, "two  words" },
		{ "title *a b*", STEP_TITLE, NULL, "*a b*" },
		{ "no-title x", STEP_NO_TITLE, NULL, "x" },
		{ "file a.txt contains the  text", STEP_FILE, "a.txt", "the  text" },
		{ "file a.txt changed", STEP_FILE, "a.txt", NULL },
		{ "home .config/a", STEP_HOME, ".config/a", NULL },
		{ "home a contains b", STEP_HOME, "a", "b" },
		{ "output contains done", STEP_OUTPUT, NULL, "done" },
		{ "sound", STEP_SOUND, NULL, NULL },
		{ "exit", STEP_EXIT, NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;
		struct step s;

		assert_done(step_read(rows[i].text, &s, &error), error);
		assert_int_equal(s.verb, rows[i].verb);
		if (rows[i].name)
			assert_string_equal(s.name, rows[i].name);
		if (rows[i].word)
			assert_string_equal(s.text, rows[i].word);
		else
			assert_null(s.text);
		assert_int_equal(s.changed, strstr(rows[i].text, "changed") != NULL);
		step_release(&s);
	}
}

static void test_numbers(void **state)
{
	struct error *error = NULL;
	struct step s;

	(void)state;
	assert_done(step_read("click 50% 7", &s, &error), error);
	assert_int_equal(s.x.n, 50);
	assert_true(s.x.percent);
	assert_int_equal(s.y.n, 7);
	assert_false(s.y.percent);
	assert_done(step_read("drag 1 2 3% 4", &s, &error), error);
	assert_int_equal(s.to_x.n, 3);
	assert_true(s.to_x.percent);
	assert_int_equal(s.to_y.n, 4);
	assert_done(step_read("shows #31c7b2 20", &s, &error), error);
	assert_int_equal(s.colour, 0x31c7b2);
	assert_int_equal(s.number, 20);
	assert_done(step_read("shows #31c7b2", &s, &error), error);
	assert_int_equal(s.number, 1);
	assert_done(step_read("changed", &s, &error), error);
	assert_int_equal(s.number, 1);
	assert_done(step_read("wait 60", &s, &error), error);
	assert_int_equal(s.number, 60);
	assert_done(step_read("exit 3", &s, &error), error);
	assert_int_equal(s.number, 3);
}

static void test_bad_steps(void **state)
{
	static const struct {
		const char *text, *why;
	} rows[] = {
		{ "", "begins with a verb" },
		{ "clik 1 2", "did you mean 'click'" },
		{ "run sh", "unknown step" },
		{ "key", "takes keys" },
		{ "key -window", "takes keys" },
		{ "key a b", "takes keys" },
		{ "key a+", "takes keys" },
		{ "key +", "takes keys" },
		{ "type", "takes a text" },
		{ "click 1", "takes X Y" },
		{ "click 1 2 3", "takes X Y" },
		{ "click 101% 1", "takes X Y" },
		{ "click % 1", "takes X Y" },
		{ "click -1 1", "takes X Y" },
		{ "click 99999 1", "takes X Y" },
		{ "drag 1 2 3", "takes X Y X Y" },
		{ "wait", "takes 1 to 60" },
		{ "wait 0", "takes 1 to 60" },
		{ "wait 61", "takes 1 to 60" },
		{ "title", "takes a title" },
		{ "changed 0", "takes nothing" },
		{ "changed 101", "takes nothing" },
		{ "shows red", "takes a colour" },
		{ "shows #31C7B2", "takes a colour" },
		{ "shows #31c7b", "takes a colour" },
		{ "shows #31c7b2 0", "takes a colour" },
		{ "sound loud", "takes nothing" },
		{ "file", "takes NAME" },
		{ "file a", "takes NAME" },
		{ "file a contains", "takes NAME" },
		{ "file a changed now", "takes NAME" },
		{ "file ../a changed", "takes NAME" },
		{ "file .a changed", "takes NAME" },
		{ "file -a changed", "takes NAME" },
		{ "home", "takes PATH" },
		{ "home /etc/passwd", "takes PATH" },
		{ "home ~/a", "takes PATH" },
		{ "home ../a", "takes PATH" },
		{ "home a/./b", "takes PATH" },
		{ "home a has b", "takes PATH" },
		{ "output done", "takes contains" },
		{ "exit 256", "takes nothing" },
		{ "exit now", "takes nothing" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;
		struct step s;

		assert_refused(step_read(rows[i].text, &s, &error), error, EINVAL, rows[i].why);
		assert_refused(step_check(rows[i].text, &error), error, EINVAL, rows[i].why);
	}
}

/* --- whole tests ------------------------------------------------------------------------------ */

#define WINDOWS "[App]\nCommand=true\n[Files]\nArguments=read-write\n[Test]\n"
#define NONE	"[App]\nCommand=true\n[Display]\nBackend=none\n[Test]\n"

static int read_all(const char *text, struct steps *ret, struct error **err)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	int r;

	r = profile_read(text, strlen(text), "f", "test", &p, err);
	return r < 0 ? r : steps_read(p, ret, err);
}

static void test_good_tests(void **state)
{
	static const struct {
		const char *text;
		size_t n;
	} rows[] = {
		{ WINDOWS "Window=*\nStep=key a\nStep=changed\n", 2 },
		{ WINDOWS "Window=*\nFile=a\nStep=changed\nStep=type a\nStep=wait 1\nStep=file a "
			  "changed\n",
		  4 },
		{ WINDOWS "Window=*\nStep=key ctrl+q\nStep=exit\n", 2 },
		{ NONE "Step=output contains a\n", 1 },
		{ WINDOWS "Step=output contains a\n", 1 },
		{ NONE "Argument=a\nStep=exit 1\nStep=output contains a\n", 2 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;
		struct steps steps;

		assert_done(read_all(rows[i].text, &steps, &error), error);
		assert_int_equal(steps.n, rows[i].n);
		steps_release(&steps);
	}
}

static void test_bad_tests(void **state)
{
	static const struct {
		const char *text;
		int code;
		const char *why;
	} rows[] = {
		{ "[App]\nCommand=true\n", ENOENT, "there is no [Test]" },
		{ "[App]\nCommand=true\n[Test]\nTimeout=10\n", ENOENT, "there is no [Test]" },
		{ WINDOWS "Step=key a\nStep=changed\n", EINVAL, "needs Window=" },
		{ WINDOWS "Window=*\n", EINVAL, "does nothing" },
		{ WINDOWS "Window=*\nStep=changed\n", EINVAL, "does nothing" },
		{ WINDOWS "Window=*\nStep=wait 1\nStep=changed\n", EINVAL, "does nothing" },
		{ WINDOWS "Window=*\nStep=key a\n", EINVAL, "no effect" },
		{ WINDOWS "Window=*\nStep=key a\nStep=wait 1\n", EINVAL, "no effect" },
		{ WINDOWS "Window=*\nStep=key a\nStep=changed\nStep=key b\n", EINVAL, "no effect" },
		{ WINDOWS "Window=*\nStep=changed\nStep=key a\n", EINVAL, "no effect" },
		{ WINDOWS "Window=*\nStep=key a\nStep=sound\n", EINVAL,
		  "Step=sound: there is no sound without" },
		{ WINDOWS "Window=*\nStep=key a\nStep=exit\nStep=title a\n", EINVAL,
		  "'title' after 'exit'" },
		{ "[App]\nCommand=true\n[Test]\nWindow=*\nStep=key a\nStep=file a changed\n",
		  EINVAL, "no file can change" },
		{ "[App]\nCommand=true\n[Test]\nWindow=*\nFile=a\nStep=key a\nStep=changed\n",
		  EINVAL, "File= needs Arguments=" },
		{ NONE "Step=key a\nStep=exit\n", EINVAL, "needs Window=" },
		{ NONE "Window=*\nStep=exit\n", EINVAL, "cannot be with Backend=none" },
		{ WINDOWS "Window=*\nStep=clik 1 2\n", EINVAL, "f:7: Step=: unknown step 'clik'" },
		{ WINDOWS "File=../a\n", EINVAL, "File= must be the name" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;
		struct steps steps;

		assert_refused(read_all(rows[i].text, &steps, &error), error, rows[i].code,
			       rows[i].why);
	}
}

/* --- what is shipped ----------------------------------------------------------------------------
 */

static void check_shipped(char *const *dirs, const char *samples, const char *name)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(steps_release) struct steps steps = { 0 };
	struct error *error = NULL;

	assert_done(profile_load_in(dirs, name, &p, &error), error);
	assert_done(steps_read(p, &steps, &error), error);
	for (char **file = p->test_files; file && *file; file++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", samples, *file);

		if (access(path, R_OK) < 0)
			fail_msg("%s: there is no sample '%s'", name, *file);
	}
}

static void test_shipped_profiles_have_tests(void **state)
{
	const char *testdata = getenv("TESTDATA");
	_cleanup_free_ char *profiles = xasprintf("%s/../templates/profiles", testdata);
	_cleanup_free_ char *samples = xasprintf("%s/../templates/samples", testdata);
	char *const dirs[] = { profiles, NULL };
	_cleanup_strv_ char **names = NULL;
	struct error *error = NULL;

	(void)state;
	assert_non_null(testdata);
	assert_done(profile_list_in(dirs, &names, &error), error);
	assert_true(strv_length(names) >= 12);
	for (char **name = names; *name; name++)
		check_shipped(dirs, samples, *name);
}

/* --- titles ----------------------------------------------------------------------------------- */

static void test_globs(void **state)
{
	static const struct {
		const char *glob, *text;
		bool matches;
	} rows[] = {
		{ "", "", true },	  { "", "a", false },	   { "*", "", true },
		{ "*", "abc", true },	  { "a*c", "abc", true },  { "a*c", "ac", true },
		{ "a*c", "abcd", false }, { "*b*", "abc", true },  { "*b*", "ac", false },
		{ "a?c", "abc", false },  { "[a]", "[a]", true },  { "[a]", "a", false },
		{ "**", "a", true },	  { "*ab", "aab", true },  { "*aab", "aaab", true },
		{ "a", "", false },	  { "abc*", "ab", false }, { "\\*", "*", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(glob_matches(rows[i].glob, rows[i].text), rows[i].matches);
}

/* A title is the application's: no glob may take long for any of them. */
static void test_globs_are_quick(void **state)
{
	const size_t n = 4096;
	char *text = xmalloc(n + 1), *glob = xmalloc(201);
	uint64_t begin;

	(void)state;
	memset(text, 'a', n);
	text[n] = '\0';
	for (size_t i = 0; i < 100; i++)
		memcpy(glob + 2 * i, "*a", 2);
	memcpy(glob + 198, "*b", 3);
	begin = now_ms();
	for (int i = 0; i < 100; i++)
		assert_false(glob_matches(glob, text));
	assert_true(now_ms() - begin < 5000);
	free(text);
	free(glob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_verb),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_bad_steps),
		cmocka_unit_test(test_good_tests),
		cmocka_unit_test(test_shipped_profiles_have_tests),
		cmocka_unit_test(test_bad_tests),
		cmocka_unit_test(test_globs),
		cmocka_unit_test(test_globs_are_quick),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
