/* base/text: what is a name, what may be printed, what was meant. */

#include "base/text.h"

#include "base/buf.h"
#include "unit.h"

static void test_names(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{ "firefox", true },
		{ "7zip", true },
		{ "firefox-esr", true },
		{ "a", true },
		{ "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-123456789",
		  true }, /* 63 */
		{ "abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-1234567890", false },
		{ "", false },
		{ "-rf", false },
		{ "--config", false },
		{ ".", false },
		{ "..", false },
		{ "a/b", false },
		{ "../../etc/passwd", false },
		{ "Firefox", false },
		{ "fire fox", false },
		{ "firefox\n", false },
		{ "%n", false },
		{ "f\xc3\xbcr", false },
		{ "a\xe2\x80\xae", false },
		{ "\xc0\xaf", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (name_is_valid(rows[i].text) != rows[i].valid)
			fail_msg("'%s'", rows[i].text);
}

static void test_shortest_paths(void **state)
{
	static const char *const good[] = { "/a", "/a/b", "/...", "/a b/.c", "/\xff\n" };
	static const char *const bad[] = {
		"",    "/",    "a",	"//a",	"/a/",	 "/a//b", "/.",
		"/..", "/./a", "/../a", "/a/.", "/a/..", "a/b",	  "~/a"
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(path_is_shortest(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(path_is_shortest(bad[i]));
}

static void test_clean(void **state)
{
	static const struct {
		const char *text;
		bool clean;
	} rows[] = {
		{ "", true },
		{ "plain text", true },
		{ "f\xc3\xbcr \xe2\x82\xac \xf0\x9f\xa6\x8a", true },
		{ "tab\there", false },
		{ "line\n", false },
		{ "\x1b[31m", false },
		{ "\x7f", false },
		{ "\xc2\x85", false },	       /* NEL, a control character above ASCII */
		{ "\xff", false },	       /* never in UTF-8 */
		{ "\xc3", false },	       /* cut off */
		{ "\xc0\xaf", false },	       /* '/' in two bytes */
		{ "\xe0\x80\xaf", false },     /* in three */
		{ "\xed\xa0\x80", false },     /* half of a surrogate pair */
		{ "\xf4\x90\x80\x80", false }, /* beyond the last character */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (text_is_clean(rows[i].text) != rows[i].clean)
			fail_msg("row %zu", i);
}

static void test_escape(void **state)
{
	static const struct {
		const char *text;
		size_t limit;
		const char *shown;
	} rows[] = {
		{ "plain f\xc3\xbcr", 99, "plain f\xc3\xbcr" },
		{ "a\nb", 99, "a\\x0ab" },
		{ "\x1b[2J", 99, "\\x1b[2J" },
		{ "\xc2\x9b", 99, "\\xc2\\x9b" },
		{ "x\xe2\x80\xaey", 99, "x\\xe2\\x80\\xaey" }, /* right-to-left override */
		{ "\xff", 99, "\\xff" },
		{ "abcdef", 3, "abc" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *shown = text_escape(rows[i].text, rows[i].limit);

		assert_string_equal(shown, rows[i].shown);
	}
}

static void test_suggest(void **state)
{
	char *names[] = { "evince", "firefox-esr", "mousepad", "mpv", NULL };
	static const struct {
		const char *typed, *meant;
	} rows[] = {
		{ "mousepda", "mousepad" }, { "evinc", "evince" }, { "firefox", "firefox-esr" },
		{ "mpvv", "mpv" },	    { "gimp", NULL },	   { "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *found = text_suggest(rows[i].typed, names);

		assert_string_equal(found ? found : "none", rows[i].meant ? rows[i].meant : "none");
	}
	assert_null(text_suggest("mpv", NULL));
}

static void test_escape_lines(void **state)
{
	static const struct {
		const char *data, *shown;
		size_t size, used;
	} rows[] = {
		{ "", "", 0, 0 },
		{ "one\n\ttwo\r\n", "one\n\ttwo\r\n", 10, 10 },
		{ "\x1b[31m\a\x7f", "\\x1b[31m\\x07\\x7f", 7, 7 },
		{ "a\0b", "a\\x00b", 3, 3 },
		{ "a\rb", "a\\x0db", 3, 3 },
		{ "a\r", "a", 2, 1 },
		{ "f\xc3\xbcr", "f\xc3\xbcr", 4, 4 },
		{ "f\xc3", "f", 2, 1 },
		{ "\xe2\x82", "", 2, 0 },
		{ "\xf0\x9f\xa6", "", 3, 0 },
		{ "\xf0\x9f.", "\\xf0\\x9f.", 3, 3 },
		{ "\xe2\x80\xae", "\\xe2\\x80\\xae", 3, 3 },
		{ "\x80\xff\n", "\\x80\\xff\n", 3, 3 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf out = { 0 };

		assert_int_equal(text_escape_lines(&out, rows[i].data, rows[i].size), rows[i].used);
		assert_string_equal(out.data ? out.data : "", rows[i].shown);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),	     cmocka_unit_test(test_shortest_paths),
		cmocka_unit_test(test_clean),	     cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_lines), cmocka_unit_test(test_suggest),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
