/* app/arguments and app/argument-words: which words of a command line name files, and what the
 * application gets instead. */

#include "app/arguments.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "app/argument-words.h"
#include "base/strv.h"
#include "scratch.h"
#include "unit.h"

/* --- words alone ------------------------------------------------------------------------------ */

static void test_kinds(void **state)
{
	static const struct {
		const char *word;
		enum word_kind kind;
		const char *path;
	} rows[] = {
		{ "a.pdf", WORD_PATH, "a.pdf" },
		{ "./-x", WORD_PATH, "./-x" },
		{ "hello world", WORD_PATH, "hello world" },
		{ "\xff\n", WORD_PATH, "\xff\n" },
		{ "", WORD_DATA, NULL },
		{ "-", WORD_DATA, NULL },
		{ "-x", WORD_DATA, NULL },
		{ "--file=/etc/passwd", WORD_DATA, NULL },
		{ "+12", WORD_DATA, NULL },
		{ "/", WORD_DATA, NULL },
		{ "/dev/null", WORD_DATA, NULL },
		{ "/proc", WORD_DATA, NULL },
		{ "/sys/x", WORD_DATA, NULL },
		{ "/device", WORD_PATH, "/device" },
		{ "http://host/a.pdf", WORD_DATA, NULL },
		{ "mailto:me", WORD_DATA, NULL },
		{ "a+b-c.d:x", WORD_DATA, NULL },
		{ "1a:x", WORD_PATH, "1a:x" },
		{ "./a:b", WORD_PATH, "./a:b" },
		{ ":x", WORD_PATH, ":x" },
		{ "file:///a%20b", WORD_URI, "/a b" },
		{ "FILE:///a", WORD_URI, "/a" },
		{ "file://other/a", WORD_URI, NULL },
		{ "@@x", WORD_PATH, "@@x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct word_place place = { 0 };
		struct word w = word_read(&place, rows[i].word);

		assert_int_equal(w.kind, rows[i].kind);
		assert_false(w.marked);
		if (rows[i].path)
			assert_string_equal(w.path, rows[i].path);
		else
			assert_null(w.path);
		word_release(&w);
	}
}

/* Reads `words` and compares the kinds: 'd'ata, 'm'ark, 'p'ath, 'u'ri; capital where marked. */
static void check_line(char *const *words, const char *kinds, bool ends)
{
	struct word_place place = { 0 };
	struct error *error = NULL;
	int r;

	assert_int_equal(strv_length(words), strlen(kinds));
	for (; *words; words++, kinds++) {
		struct word w = word_read(&place, *words);
		char kind = "dmpu"[w.kind];

		if (w.marked)
			kind = (char)(kind - 'a' + 'A');
		if (kind != *kinds)
			fail_msg("'%s' is %c, not %c", *words, kind, *kinds);
		word_release(&w);
	}
	r = word_place_end(&place, &error);
	if (ends)
		assert_done(r, error);
	else
		assert_refused(r, error, EINVAL, "'@@' behind it");
}

#define LINE(...) ((char *[]){ __VA_ARGS__, NULL })

static void test_lines(void **state)
{
	(void)state;
	check_line(LINE("-x", "a", "--", "-a", "--", "+1"), "dpdppp", true);
	check_line(LINE("@@", "-a", "http://h/", "file:///x", "", "--", "/dev/null", "@@", "-x"),
		   "mPPPPPPmd", true);
	check_line(LINE("@@u", "http://h/", "file:///x", "-a", "@@u", "@@", "a"), "mdUPPmp", true);
	check_line(LINE("@@", "@@", "@@u", "@@"), "mmmm", true);
	check_line(LINE("--", "@@", "-a", "@@"), "dmPm", true);
	check_line(LINE("a", "@@", "b"), "pmP", false);
	check_line(LINE("@@u"), "m", false);
}

static void test_uris(void **state)
{
	static const struct {
		const char *uri, *path;
	} rows[] = {
		{ "file:///a/b", "/a/b" },
		{ "file:/a", "/a" },
		{ "file://localhost/a", "/a" },
		{ "file://LocalHost/a", "/a" },
		{ "file:///%41%e4%C3%a4", "/A\xe4\xc3\xa4" },
		{ "file:///a%25b%3F%23", "/a%b?#" },
		{ "file:///a.html#top", "/a.html" },
		{ "file:///a?x=%00", "/a" },
		{ "file:////a", "//a" },
		{ "file:///ä b", "/ä b" },
		{ "file:", NULL },
		{ "file:a", NULL },
		{ "file://", NULL },
		{ "file://a", NULL },
		{ "file://host/a", NULL },
		{ "file://localhos/a", NULL },
		{ "file://localhosts/a", NULL },
		{ "file:///%00", NULL },
		{ "file:///a%2fb", NULL },
		{ "file:///a%2Fb", NULL },
		{ "file:///%", NULL },
		{ "file:///%4", NULL },
		{ "file:///%4g", NULL },
		{ "file:///%4?1", NULL },
		{ "http:///a", NULL },
		{ "/a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = file_uri_to_path(rows[i].uri);

		if (!rows[i].path && path)
			fail_msg("'%s' became '%s'", rows[i].uri, path);
		if (rows[i].path)
			assert_string_equal(path, rows[i].path);
	}
}

/* Every byte that a name can have. */
static void test_uri_round_trip(void **state)
{
	_cleanup_free_ char *uri = NULL, *back = NULL;
	char path[257] = "/";

	(void)state;
	for (int i = 1; i < 256; i++)
		path[i] = (char)i;
	uri = file_uri_from_path(path);
	for (const char *c = uri; *c; c++)
		assert_true(*c > ' ' && *c < 0x7f);
	back = file_uri_to_path(uri);
	assert_string_equal(back, path);
	assert_string_equal(file_uri_tail(uri), "");
	assert_string_equal(file_uri_tail("file:///a#b?c"), "#b?c");
	assert_string_equal(file_uri_tail("file:///a?b#c"), "?b#c");
}

static void test_new_names(void **state)
{
	static const char *const good[] = {
		"hello", "a b.txt", "/x/12", "1a", "\xff", "-x", "..."
	};
	static const char *const bad[] = {
		"", "12", "0", "a\nb", "a\tb", "\x7f", "a/", ".", "x/.."
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (!word_may_be_new(good[i]))
			fail_msg("'%s' may not be new", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (word_may_be_new(bad[i]))
			fail_msg("'%s' may be new", bad[i]);
}

/* --- with files ------------------------------------------------------------------------------- */

static char *in_scratch(const struct scratch *s, const char *name)
{
	return xasprintf("%s/%s", s->path, name);
}

static int set_up(void **state)
{
	struct scratch *s;
	int r = scratch_make(state);

	if (r < 0)
		return r;
	s = *state;
	scratch_file(s, "a b.pdf", "a", 0644);
	scratch_file(s, "locked", "l", 0444);
	scratch_file(s, ".bashrc", "x", 0644);
	if (mkdirat(s->fd, "directory", 0755) < 0 || mkdirat(s->fd, "fixed", 0555) < 0 ||
	    mkfifoat(s->fd, "fifo", 0600) < 0 || symlinkat("a b.pdf", s->fd, "link") < 0)
		return -1;
	return chdir(s->path);
}

static int parse(const struct scratch *s, enum file_arguments mode, char *const *words,
		 struct arguments_given *ret, struct error **err)
{
	const struct protection p = { .home = s->path, .uid = getuid() };

	return arguments_parse(mode, words, &p, ret, err);
}

/* Parses one word: 'd'ata, 'f'ile, 'w'ritable file; or 'x' for an error. */
static char parse_one(const struct scratch *s, enum file_arguments mode, const char *word)
{
	_cleanup_(arguments_release) struct arguments_given a = { 0 };
	_cleanup_(error_freep) struct error *error = NULL;
	char *words[] = { (char *)word, NULL };

	if (parse(s, mode, words, &a, &error) < 0)
		return 'x';
	assert_int_equal(a.n, 1);
	assert_string_equal(a.list[0].word, word);
	if (!a.list[0].is_file)
		assert_int_equal(a.list[0].given.parent, -EBADF);
	return a.list[0].writable ? 'w' : a.list[0].is_file ? 'f' : 'd';
}

/* One letter for each mode. For root nothing is locked, and links of root's are trusted. */
static void test_modes(void **state)
{
	static const struct {
		const char *word, *outcome;
	} rows[] = {
		{ "a b.pdf", "dfw" },
		{ "./a b.pdf", "dfw" },
		{ "directory", "dfw" },
		{ "locked", "dff" },
		{ "none.pdf", "ddw" },
		{ "directory/none", "ddw" },
		{ "nowhere/none", "ddd" },
		{ "a b.pdf/x", "ddd" },
		{ "fixed/none", "ddd" },
		{ "12", "ddd" },
		{ "+12", "ddd" },
		{ "-x", "ddd" },
		{ "a\nb", "ddd" },
		{ "http://h/a", "ddd" },
		{ ".bashrc", "dxx" },
		{ "fifo", "dxx" },
		{ "link", "dxx" },
		{ ".", "dxx" },
		{ "/", "ddd" },
		{ "/dev/null", "ddd" },
		{ ".profile", "ddx" },
	};
	char *not_for_root[] = { "locked", "fixed/none", "link", NULL };
	const struct scratch *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (enum file_arguments m = 0; m < FILE_ARGUMENTS_MAX; m++) {
			char outcome = parse_one(s, m, rows[i].word), wanted = rows[i].outcome[m];

			if (!geteuid() && strv_contains(not_for_root, rows[i].word))
				continue;
			if (outcome != wanted)
				fail_msg("'%s' in mode %u: %c, not %c", rows[i].word, m, outcome,
					 wanted);
		}
}

static void test_too_long(void **state)
{
	char word[5000];

	memset(word, 'a', sizeof word - 1);
	word[sizeof word - 1] = '\0';
	assert_int_equal(parse_one(*state, FILE_ARGUMENTS_READ_WRITE, word), 'd');
	word[300] = '\0';
	assert_int_equal(parse_one(*state, FILE_ARGUMENTS_READ_WRITE, word), 'd');
}

static void test_inside(void **state)
{
	_cleanup_(arguments_release) struct arguments_given a = { 0 };
	_cleanup_free_ char *path = in_scratch(*state, "a b.pdf"), *uri = file_uri_from_path(path),
			    *page = xasprintf("%s#page=3", uri), *first = NULL, *second = NULL;
	struct error *error = NULL;

	assert_done(parse(*state, FILE_ARGUMENTS_READ_ONLY, LINE("-x", "a b.pdf", page, "none"), &a,
			  &error),
		    error);
	assert_int_equal(a.n, 4);
	assert_true(!a.list[0].is_file && a.list[1].is_file && a.list[2].is_file &&
		    !a.list[3].is_file);
	assert_string_equal(a.list[2].given.path, path);
	first = argument_inside(&a.list[1], "/home/u/Files/a b.pdf");
	second = argument_inside(&a.list[2], "/home/u/Files/2/a b.pdf");
	assert_string_equal(first, "/home/u/Files/a b.pdf");
	assert_string_equal(second, "file:///home/u/Files/2/a%20b.pdf#page=3");
}

static void test_marks(void **state)
{
	_cleanup_(arguments_release) struct arguments_given a = { 0 };
	struct error *error = NULL;

	assert_refused(parse(*state, FILE_ARGUMENTS_NONE, LINE("@@", "a b.pdf", "@@"), &a, &error),
		       error, EPERM, "Arguments=read-only");
	assert_refused(
		parse(*state, FILE_ARGUMENTS_READ_ONLY, LINE("@@", "none", "@@"), &a, &error),
		error, ENOENT, "none");
	assert_refused(parse(*state, FILE_ARGUMENTS_READ_ONLY, LINE("@@u", "file://h/x", "@@"), &a,
			     &error),
		       error, EINVAL, "file://h/x");
	assert_refused(
		parse(*state, FILE_ARGUMENTS_READ_WRITE, LINE("@@", "/dev/null", "@@"), &a, &error),
		error, EPERM, "/dev/null");
	assert_refused(parse(*state, FILE_ARGUMENTS_READ_ONLY, LINE("@@", "a b.pdf"), &a, &error),
		       error, EINVAL, "'@@'");
	assert_done(parse(*state, FILE_ARGUMENTS_NONE,
			  LINE("@@", "@@", "x", "@@u", "http://h/", "@@"), &a, &error),
		    error);
	assert_int_equal(a.n, 2);
	arguments_release(&a);
	assert_done(parse(*state, FILE_ARGUMENTS_READ_WRITE,
			  LINE("--w", "@@", "a b.pdf", "12", "@@", "y"), &a, &error),
		    error);
	assert_int_equal(a.n, 4);
	assert_string_equal(a.list[2].word, "12");
	assert_true(a.list[2].is_file && a.list[2].given.fd < 0);
}

static void test_too_many(void **state)
{
	_cleanup_(arguments_release) struct arguments_given a = { 0 };
	_cleanup_strv_ char **words = NULL;
	struct error *error = NULL;

	for (unsigned i = 0; i < ARGUMENT_FILES_MAX; i++)
		strv_add(&words, "a b.pdf");
	strv_add(&words, "data");
	assert_done(parse(*state, FILE_ARGUMENTS_READ_ONLY, words, &a, &error), error);
	strv_add(&words, "a b.pdf");
	arguments_release(&a);
	assert_refused(parse(*state, FILE_ARGUMENTS_READ_ONLY, words, &a, &error), error, E2BIG,
		       "directory");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),	  cmocka_unit_test(test_lines),
		cmocka_unit_test(test_uris),	  cmocka_unit_test(test_uri_round_trip),
		cmocka_unit_test(test_new_names), cmocka_unit_test(test_modes),
		cmocka_unit_test(test_too_long),  cmocka_unit_test(test_inside),
		cmocka_unit_test(test_marks),	  cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests_name("arguments", tests, set_up, scratch_remove);
}
