/* app/user-dirs: which lines count, and that nothing else of a shell does. */

#include "app/user-dirs.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "scratch.h"
#include "unit.h"

#define HOME "/home/ada"

/* What the text makes of the directory of downloads. */
static void expect(const char *text, const char *wanted)
{
	_cleanup_(user_dirs_release) struct user_dirs d = { 0 };

	user_dirs_parse(text, strlen(text), HOME, &d);
	if (strcmp(d.paths[USER_DIR_DOWNLOAD], wanted) != 0)
		fail_msg("%s: '%s' is not '%s'", text, d.paths[USER_DIR_DOWNLOAD], wanted);
}

static void test_what_a_file_usually_says(void **state)
{
	static const char text[] = "# This file is written by xdg-user-dirs-update\n"
				   "#\n"
				   "XDG_DESKTOP_DIR=\"$HOME/Schreibtisch\"\n"
				   "XDG_DOWNLOAD_DIR=\"$HOME/Herunter geladen\"\n"
				   "XDG_TEMPLATES_DIR=\"$HOME/\"\n"
				   "XDG_PUBLICSHARE_DIR=\"$HOME\"\n"
				   "XDG_DOCUMENTS_DIR=\"/data/ada\"\n"
				   "XDG_MUSIC_DIR=\"$HOME/Musik/\"\n"
				   "XDG_PICTURES_DIR=\"/home/ada/Bilder\"\n";
	static const char *const wanted[USER_DIR_MAX] = {
		[USER_DIR_DESKTOP] = "Schreibtisch",	  [USER_DIR_DOCUMENTS] = "/data/ada",
		[USER_DIR_DOWNLOAD] = "Herunter geladen", [USER_DIR_MUSIC] = "Musik",
		[USER_DIR_PICTURES] = "Bilder",		  [USER_DIR_PUBLICSHARE] = "Public",
		[USER_DIR_TEMPLATES] = "Templates",	  [USER_DIR_VIDEOS] = "Videos",
	};
	_cleanup_(user_dirs_release) struct user_dirs d = { 0 };

	(void)state;
	user_dirs_parse(text, sizeof text - 1, HOME, &d);
	for (enum user_dir i = 0; i < USER_DIR_MAX; i++)
		assert_string_equal(d.paths[i], wanted[i]);
}

static void test_forms_that_count(void **state)
{
	static const char *const cases[][2] = {
		{ "XDG_DOWNLOAD_DIR=\"$HOME/x\"", "x" },
		{ " \tXDG_DOWNLOAD_DIR = \"$HOME/x\" # here", "x" },
		{ "XDG_DOWNLOAD_DIR=\"$HOME//a/./b//\"\r\n", "a/b" },
		{ "XDG_DOWNLOAD_DIR=\"/x\"\nXDG_DOWNLOAD_DIR=\"/y\"", "/y" },
		{ "XDG_DOWNLOAD_DIR=\"/x\"\nXDG_DOWNLOAD_DIR=\"x\"", "/x" },
		{ "XDG_DOWNLOAD_DIR=\"$HOME/\\$5 \\\"a\\\" \\\\ \\x\"", "$5 \"a\" \\ \\x" },
		{ "XDG_DOWNLOAD_DIR=\"/home/adam/x\"", "/home/adam/x" },
		{ "XDG_DOWNLOAD_DIR=\"/home//ada/./x\"", "x" },
		{ "XDG_DOWNLOAD_DIR=\"/\"", "/" },
		{ "XDG_DOWNLOAD_DIR=\"$HOME/T\xc3\xa9l\xc3\xa9\"", "T\xc3\xa9l\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		expect(cases[i][0], cases[i][1]);
}

static void test_lines_that_do_not_count(void **state)
{
	static const char *const lines[] = {
		"",
		"\n\n",
		"#XDG_DOWNLOAD_DIR=\"/x\"",
		"XDG_DOWNLOAD_DIR=\"x\"",
		"XDG_DOWNLOAD_DIR=/x",
		"XDG_DOWNLOAD_DIR='/x'",
		"XDG_DOWNLOAD_DIR=\"/x",
		"XDG_DOWNLOAD_DIR=",
		"XDG_DOWNLOAD_DIR",
		"XDG_DOWNLOAD_DIR=\"\"",
		"XDG_DOWNLOAD_DIR=\"$HOMEx\"",
		"XDG_DOWNLOAD_DIR=\"${HOME}/x\"",
		"XDG_DOWNLOAD_DIR=\"$HOME/$USER\"",
		"XDG_DOWNLOAD_DIR=\"/$(id)\"",
		"XDG_DOWNLOAD_DIR=\"/`id`\"",
		"XDG_DOWNLOAD_DIR=\"/x\"; id",
		"XDG_DOWNLOAD_DIR=\"/x\"\"y\"",
		"XDG_DOWNLOAD_DIR=\"$HOME/../x\"",
		"XDG_DOWNLOAD_DIR=\"/x/..\"",
		"XDG_DOWNLOAD_DIR=\"/\x1b[2J\"",
		"XDG_DOWNLOAD_DIR=\"/\xff\"",
		"XDG_DOWNLOADS_DIR=\"/x\"",
		"export XDG_DOWNLOAD_DIR=\"/x\"",
		"xdg_download_dir=\"/x\"",
		"XDG_DOWNLOAD_DIR=\"/x\\",
		"XDG_DOWNLOAD_DIR=\"$HOME",
		"XDG_DOWNLOAD_DIR=\"/home/ada\"",
		"XDG_DOWNLOAD_DIR=\"~/x\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		expect(lines[i], "Downloads");
}

static void test_nul_and_length(void **state)
{
	static const char nul[] = "XDG_DOWNLOAD_DIR=\"/x\0\"\nXDG_MUSIC_DIR=\"/m\"";
	_cleanup_(user_dirs_release) struct user_dirs d = { 0 };
	_cleanup_buf_ struct buf text = { 0 };

	(void)state;
	user_dirs_parse(nul, sizeof nul - 1, HOME, &d);
	assert_string_equal(d.paths[USER_DIR_DOWNLOAD], "Downloads");
	assert_string_equal(d.paths[USER_DIR_MUSIC], "/m");
	buf_adds(&text, "XDG_DOWNLOAD_DIR=\"/");
	for (unsigned i = 0; i < USER_DIR_PATH_MAX; i++)
		buf_adds(&text, "x");
	buf_adds(&text, "\"");
	expect(text.data, "Downloads");
}

static void test_reading_the_file(void **state)
{
	const struct scratch *s = *state;
	_cleanup_(user_dirs_release) struct user_dirs none = { 0 }, some = { 0 }, linked = { 0 };
	_cleanup_close_ int config = -EBADF;
	struct error *error = NULL;

	assert_done(user_dirs_read(s->path, &none, &error), error);
	assert_string_equal(none.paths[USER_DIR_MUSIC], "Music");
	assert_done(fs_make_dir(s->fd, ".config", 0700, &config, &error), error);
	scratch_file(s, "new", "XDG_MUSIC_DIR=\"$HOME/m\"\n", 0600);
	assert_int_equal(renameat(s->fd, "new", config, "user-dirs.dirs"), 0);
	assert_done(user_dirs_read(s->path, &some, &error), error);
	assert_string_equal(some.paths[USER_DIR_MUSIC], "m");

	assert_int_equal(renameat(config, "user-dirs.dirs", s->fd, "kept"), 0);
	assert_int_equal(symlinkat("../kept", config, "user-dirs.dirs"), 0);
	assert_done(user_dirs_read(s->path, &linked, &error), error);
	assert_string_equal(linked.paths[USER_DIR_MUSIC], "m");
}

static void test_no_file_to_read(void **state)
{
	const struct scratch *s = *state;
	_cleanup_free_ char *large = xcalloc(1, USER_DIRS_FILE_MAX + 2);
	struct user_dirs d = { 0 };
	struct error *error = NULL;

	assert_int_equal(unlinkat(s->fd, ".config/user-dirs.dirs", 0), 0);
	assert_int_equal(mkfifoat(s->fd, ".config/user-dirs.dirs", 0600), 0);
	assert_refused(user_dirs_read(s->path, &d, &error), error, EINVAL, "not a regular file");
	assert_int_equal(unlinkat(s->fd, ".config/user-dirs.dirs", 0), 0);
	memset(large, '#', USER_DIRS_FILE_MAX + 1);
	scratch_file(s, "large", large, 0600);
	assert_int_equal(renameat(s->fd, "large", s->fd, ".config/user-dirs.dirs"), 0);
	assert_refused(user_dirs_read(s->path, &d, &error), error, EFBIG, "larger than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_a_file_usually_says),
		cmocka_unit_test(test_forms_that_count),
		cmocka_unit_test(test_lines_that_do_not_count),
		cmocka_unit_test(test_nul_and_length),
		cmocka_unit_test(test_reading_the_file),
		cmocka_unit_test(test_no_file_to_read),
	};

	return cmocka_run_group_tests_name("user-dirs", tests, scratch_make, scratch_remove);
}
