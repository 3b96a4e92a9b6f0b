/* session/chooser: how each chooser is asked, and what its answer means. */

#include "session/chooser.h"

#include "base/strv.h"
#include "scratch.h"
#include "unit.h"

static void test_order(void **state)
{
	static const struct {
		const char *desktop, *order;
	} rows[] = {
		{ NULL, "zenity kdialog yad qarma" },
		{ "", "zenity kdialog yad qarma" },
		{ "GNOME", "zenity kdialog yad qarma" },
		{ "KDE", "kdialog zenity yad qarma" },
		{ "ubuntu:KDE", "kdialog zenity yad qarma" },
		{ "KDE:x", "kdialog zenity yad qarma" },
		{ "XKDE", "zenity kdialog yad qarma" },
		{ "KDE5:K", "zenity kdialog yad qarma" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct chooser *choosers[CHOOSERS];
		_cleanup_strv_ char **names = NULL;
		_cleanup_free_ char *order = NULL;

		chooser_order(rows[i].desktop, choosers);
		for (size_t c = 0; c < CHOOSERS; c++)
			strv_add(&names, choosers[c]->program);
		order = strv_join(names, " ");
		assert_string_equal(order, rows[i].order);
	}
}

static const struct chooser *find(const char *program)
{
	const struct chooser *choosers[CHOOSERS];

	chooser_order(NULL, choosers);
	for (size_t c = 0; c < CHOOSERS; c++)
		if (!strcmp(choosers[c]->program, program))
			return choosers[c];
	fail_msg("no %s", program);
	return NULL;
}

static void test_words(void **state)
{
	static const struct {
		const char *program;
		enum choice choice;
		const char *words;
	} rows[] = {
		/* clang-format off */
		{ "zenity", CHOOSE_FILE, "zenity|--title=--T|--file-selection" },
		{ "zenity", CHOOSE_DIRECTORY, "zenity|--title=--T|--file-selection|--directory" },
		{ "zenity", CHOOSE_NEW, "zenity|--title=--T|--file-selection|--save|--confirm-overwrite" },
		{ "kdialog", CHOOSE_FILE, "kdialog|--title=--T|--getopenfilename" },
		{ "kdialog", CHOOSE_DIRECTORY, "kdialog|--title=--T|--getexistingdirectory" },
		{ "kdialog", CHOOSE_NEW, "kdialog|--title=--T|--getsavefilename" },
		{ "yad", CHOOSE_FILE, "yad|--title=--T|--file" },
		{ "yad", CHOOSE_NEW, "yad|--title=--T|--file|--save|--confirm-overwrite" },
		{ "qarma", CHOOSE_DIRECTORY, "qarma|--title=--T|--file-selection|--directory" },
		/* clang-format on */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strv_ char **argv = chooser_argv(find(rows[i].program), rows[i].choice,
							  "--T");
		_cleanup_free_ char *words = strv_join(argv, "|");

		assert_string_equal(words, rows[i].words);
	}
}

/* Runs a zenity of the test's own. */
static int choose(const struct scratch *s, const char *script, char **ret, struct error **err)
{
	_cleanup_free_ char *text = xasprintf("#!/bin/sh\n%s\n", script);

	scratch_file(s, "zenity", text, 0755);
	return chooser_run(s->path, CHOOSE_NEW, "T", ret, err);
}

static void test_answers(void **state)
{
	static const struct {
		const char *script, *path;
	} rows[] = {
		{ "echo /a/b.pdf", "/a/b.pdf" },
		{ "printf '/a\\nb\\n\\n'", "/a\nb\n" },
		{ "printf '/a'", "/a" },
		{ "printf '/\\377 \\n'", "/\xff " },
		{ "echo noise >&2; echo /a", "/a" },
		{ "echo \"/$#$1$2$3$4\"", "/4--title=T--file-selection--save--confirm-overwrite" },
		{ "echo \"/$VITRINE_TEST_SECRET$DISPLAY\"", "/:77" },
	};

	assert_int_equal(setenv("VITRINE_TEST_SECRET", "secret", 1), 0);
	assert_int_equal(setenv("DISPLAY", ":77", 1), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = NULL;
		struct error *error = NULL;

		assert_done(choose(*state, rows[i].script, &path, &error), error);
		assert_string_equal(path, rows[i].path);
	}
}

static void test_no_answers(void **state)
{
	static const struct {
		const char *script;
		int code;
		const char *part;
	} rows[] = {
		{ "exit 1", ECANCELED, "nothing was picked" },
		{ "echo /a; exit 1", ECANCELED, "nothing was picked" },
		{ "exit 252", EIO, "status 252" },
		{ "kill -9 $$", EIO, "status 137" },
		{ ":", EPROTO, "no path" },
		{ "echo", EPROTO, "no path" },
		{ "echo a", EPROTO, "no path" },
		{ "printf '/a\\0b\\n'", EPROTO, "no path" },
		{ "head -c 70000 /dev/zero", EFBIG, "zenity" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;
		char *path = NULL;

		assert_refused(choose(*state, rows[i].script, &path, &error), error, rows[i].code,
			       rows[i].part);
	}
}

static void test_next_program(void **state)
{
	_cleanup_free_ char *path = NULL;
	const struct scratch *s = *state;
	struct error *error = NULL;

	(void)unlinkat(s->fd, "zenity", 0);
	assert_refused(chooser_run(s->path, CHOOSE_FILE, "T", &path, &error), error, ENOENT,
		       "apt install zenity");
	scratch_file(s, "yad", "#!/bin/sh\nexit 252\n", 0755);
	assert_refused(chooser_run(s->path, CHOOSE_FILE, "T", &path, &error), error, ECANCELED,
		       "nothing was picked");
	scratch_file(s, "kdialog", "#!/bin/sh\necho /k\n", 0755);
	assert_done(chooser_run(s->path, CHOOSE_FILE, "T", &path, &error), error);
	assert_string_equal(path, "/k");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	     cmocka_unit_test(test_words),
		cmocka_unit_test(test_answers),	     cmocka_unit_test(test_no_answers),
		cmocka_unit_test(test_next_program),
	};

	return cmocka_run_group_tests_name("chooser", tests, scratch_make, scratch_remove);
}
