#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/strv.h"
#include "image/progress.h"
#include "image/recipe.h"
#include "image/sources.h"

/* --- recipes
 * -------------------------------------------------------------------------------------- */

static int read_recipe(const char *text, struct recipe **ret, struct error **err)
{
	return recipe_read(text, strlen(text), "r", ret, err);
}

static void test_recipe(void **state)
{
	_cleanup_(recipe_freep) struct recipe *r = NULL;
	_cleanup_(error_freep) struct error *err = NULL;

	(void)state;
	assert_int_equal(read_recipe("# c\n[Image]\nDescription=two words\nPackages=a1 g++\n"
				     "Packages=libx11-6\nSize=900M\nMinutes=4\nSuite=host\n",
				     &r, &err),
			 0);
	assert_string_equal(r->description, "two words");
	assert_int_equal(strv_length(r->packages), 3);
	assert_string_equal(r->packages[1], "g++");
	assert_null(r->suite);
	assert_true(r->size == 900ULL << 20);
	assert_int_equal(r->minutes, 4);
}

static void test_recipe_of_a_layer(void **state)
{
	static const char text[] =
		"[Image]\nBase=base\nPackages=mpv\nFonts=noto-core fonts-dejavu\n"
		"Locale=de_DE.UTF-8 sr_RS@latin\nCommand=echo a;  echo b\n"
		"Command=true\nFiles=mpv-files\n";
	static const char *const packages[] = { "mpv", "fonts-noto-core", "fonts-dejavu",
						"locales" };
	_cleanup_(recipe_freep) struct recipe *r = NULL;
	_cleanup_(error_freep) struct error *err = NULL;

	(void)state;
	assert_int_equal(recipe_read(text, strlen(text), "/etc/x/mpv.image", &r, &err), 0);
	assert_string_equal(r->base, "base");
	assert_int_equal(strv_length(r->packages), ARRAY_SIZE(packages));
	for (size_t i = 0; i < ARRAY_SIZE(packages); i++)
		assert_string_equal(r->packages[i], packages[i]);
	assert_string_equal(r->locales[1], "sr_RS@latin");
	assert_string_equal(r->commands[0], "echo a;  echo b");
	assert_int_equal(strv_length(r->commands), 2);
	assert_string_equal(r->files, "/etc/x/mpv-files");
}

static const struct {
	const char *text, *why;
} bad_recipes[] = {
	{ "", "Packages= is missing" },
	{ "[Image]\nPackages=\n", "Packages= is missing" },
	{ "[Image]\nPackages=xterm -o\n", "r:2: '-o' is not the name of a package" },
	{ "[Image]\nPackages=xterm apt-\n", "'apt-' is not the name of a package" },
	{ "[Image]\nPackages=./evil.deb\n", "'./evil.deb' is not the name of a package" },
	{ "[Image]\nPackages=?essential\n", "'?essential' is not the name of a package" },
	{ "[Image]\nPackages=a1,b1\n", "'a1,b1' is not the name of a package" },
	{ "[Image]\nPackages=xterm\nMirror=x\n", "r:3: unknown key Mirror= in [Image]" },
	{ "[Other]\nPackages=xterm\n", "unknown section [Other]" },
	{ "[Image]\nPackages=xterm\nSize=lots\n", "Size= must be a size such as 900M" },
	{ "[Image]\nPackages=xterm\nMinutes=-1\n", "Minutes= must be a number" },
	{ "[Image]\nPackages=xterm\nSuite=../x\n", "Suite= must be" },
	{ "[Image]\nPackages=xterm\nSuite=sid\nSuite=sid\n", "Suite= is there twice" },
	{ "[Image]\nBase=base\n", "nothing to add to Base=" },
	{ "[Image]\nBase=../base\nPackages=xterm\n", "Base= must be the name of an image" },
	{ "[Image]\nBase=base\nSuite=sid\nPackages=xterm\n", "Suite= is that of Base=" },
	{ "[Image]\nCommand=true\n", "Packages= is missing" },
	{ "[Image]\nPackages=xterm\nCommand=\n", "Command= is empty" },
	{ "[Image]\nPackages=xterm\nFiles=/etc\n", "must be the name of a directory beside" },
	{ "[Image]\nPackages=xterm\nFiles=..\n", "must be the name of a directory beside" },
	{ "[Image]\nPackages=xterm\nLocale=German\n", "'German' is no locale" },
	{ "[Image]\nPackages=xterm\nLocale=de_DE.UTF-8;id\n", "is no locale" },
	{ "[Image]\nPackages=xterm\nFonts=../x\n", "'fonts-../x' is not the name of a package" },
};

static void test_bad_recipes(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad_recipes); i++) {
		_cleanup_(recipe_freep) struct recipe *r = NULL;
		_cleanup_(error_freep) struct error *err = NULL;

		assert_true(read_recipe(bad_recipes[i].text, &r, &err) < 0);
		if (!strstr(err->message, bad_recipes[i].why))
			fail_msg("'%s' expected in '%s'", bad_recipes[i].why, err->message);
	}
}

/* --- package sources
 * ------------------------------------------------------------------------------ */

struct place {
	char path[32];
	int dir;
	int parts;
};

static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof *p);
	struct error *err = NULL;

	strcpy(p->path, "/tmp/test-image.XXXXXX");
	if (!mkdtemp(p->path) || fs_open_dir(AT_FDCWD, p->path, &p->dir, &err) < 0 ||
	    fs_make_dir(p->dir, "sources.list.d", 0755, &p->parts, &err) < 0)
		return -1;
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	struct error *err = NULL;
	int r;

	close(p->dir);
	close(p->parts);
	r = fs_remove_tree(AT_FDCWD, p->path, &err);
	error_free(err);
	free(p);
	return r;
}

static void put(int dir, const char *name, const char *text)
{
	struct error *err = NULL;

	assert_int_equal(fs_write(dir, name, text, strlen(text), 0644, &err), 0);
}

static void test_sources(void **state)
{
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	_cleanup_(sources_release) struct sources s = { 0 };

	put(p->dir, "sources.list",
	    "# deb http://no.example/ bookworm main\n"
	    "deb http://a.example/debian bookworm main contrib # why\n"
	    "deb [ arch=amd64 ] http://b.example/debian\tbookworm-updates main\n"
	    "deb [signed-by=/nonexistent/key] http://no.example/debian bookworm main\n"
	    "deb-src http://no.example/debian bookworm main\n"
	    "deb http://no.example/debian bookworm-backports main\n"
	    "deb http://no.example/debian bookwormish main\n"
	    "deb http://no.example/docker bookworm stable\n"
	    "deb http://no.example/flat ./\n"
	    "deb cdrom:[Disc One]/ bookworm main\n"
	    "nonsense\n");
	put(p->parts, "d.sources",
	    "Types: deb deb-src\n# comment\nURIs: http://c.example/\n"
	    "Suites: bookworm bookworm-security\n bookworm-backports\nComponents: main\n"
	    "Signed-By:\n -----BEGIN\n .\n abc\n\n"
	    "Types: deb\nURIs: http://no.example/\nSuites: bookworm\nComponents: main\n"
	    "Enabled: no\n \n"
	    "Types: deb-src\nURIs: http://no.example/\nSuites: bookworm\nComponents: main\n");
	put(p->parts, "e.list.disabled", "deb http://no.example/ bookworm main\n");
	assert_int_equal(sources_read(p->path, "bookworm", "bookworm", &s, &err), 0);
	assert_string_equal(s.list, "deb http://a.example/debian bookworm main contrib \n"
				    "deb [ arch=amd64 ] http://b.example/debian bookworm-updates "
				    "main\n");
	assert_string_equal(s.deb822, "Types: deb\nSuites: bookworm bookworm-security\n"
				      "URIs: http://c.example/\nComponents: main\n"
				      "Signed-By:\n -----BEGIN\n .\n abc\n\n");
}

static void test_sources_of_another_suite(void **state)
{
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	_cleanup_(sources_release) struct sources s = { 0 };

	put(p->dir, "sources.list",
	    "deb http://a.example/ bookworm main\n"
	    "deb http://a.example/ bookworm-security main\n");
	assert_int_equal(sources_read(p->path, "trixie", "bookworm", &s, &err), 0);
	assert_non_null(strstr(s.list, " trixie "));
	assert_non_null(strstr(s.list, " trixie-security "));
	assert_null(strstr(s.list, "bookworm"));
	assert_null(s.deb822);
}

/* A host that follows "stable" can have a release by its name. */
static void test_sources_that_move(void **state)
{
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	_cleanup_(sources_release) struct sources s = { 0 };

	put(p->dir, "sources.list",
	    "deb http://a.example/ stable main\n"
	    "deb http://a.example/ stable-security main\n");
	assert_int_equal(sources_read(p->path, "bookworm", "trixie", &s, &err), 0);
	assert_string_equal(s.list, "deb http://a.example/ bookworm main\n"
				    "deb http://a.example/ bookworm-security main\n");
}

/* As Debian 13's installer writes them; its backports are of no use to another release. */
static void test_stanzas_of_another_suite(void **state)
{
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	_cleanup_(sources_release) struct sources s = { 0 };

	put(p->parts, "debian.sources",
	    "Types: deb deb-src\nURIs: http://a.example/debian\n"
	    "Suites: trixie trixie-updates trixie-backports\nComponents: main\n\n"
	    "Types: deb\nURIs: http://a.example/debian-security\n"
	    "Suites: trixie-security\nComponents: main\n");
	assert_int_equal(sources_read(p->path, "bookworm", "trixie", &s, &err), 0);
	assert_null(s.list);
	assert_string_equal(s.deb822, "Types: deb\nSuites: bookworm bookworm-updates\n"
				      "URIs: http://a.example/debian\nComponents: main\n\n"
				      "Types: deb\nSuites: bookworm-security\n"
				      "URIs: http://a.example/debian-security\n"
				      "Components: main\n\n");
}

static void test_no_sources(void **state)
{
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct sources s;

	put(p->dir, "sources.list",
	    "deb http://a.example/ noble main\ndeb http://a.example/ stable-x main\n");
	assert_int_equal(sources_read(p->path, "bookworm", "bookworm", &s, &err), -ENOENT);
	assert_non_null(strstr(err->message, "--suite"));
}

/* --- progress
 * ------------------------------------------------------------------------------------- */

static void test_progress(void **state)
{
	static const char *const lines[] = {
		"Hit:1 http://a.example bookworm InRelease",
		"Get:1 http://a.example bookworm InRelease [151 kB]",
		"Unpacking usr-is-merged (1) ...",
		NULL, /* the essential packages are fetched */
		"0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.",
		"Need to get 29.7 MB of archives.",
		"Get:1 http://a.example bookworm/main amd64 a amd64 1 [37.6 kB]",
		"Get:2 http://a.example bookworm/main amd64 b amd64 1 [1,037 B]",
		"I: extracting archives...",
		"I: installing essential packages...",
		"Unpacking a (1) ...",
		"Setting up a (1) ...",
		NULL, /* the other packages are fetched */
		"1 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.",
		"0 upgraded, 361 newly installed, 0 to remove and 0 not upgraded.",
		"Get:7 http://a.example bookworm/main amd64 c amd64 1 [12 MB]",
		"Unpacking c (1) ...",
		"vitrine-build-box: reading the layer",
	};
	struct build_progress p = { .image = "x" };
	unsigned percent = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		if (lines[i])
			build_progress_line(&p, lines[i]);
		else
			build_progress_begin(&p, BUILD_DOWNLOAD, p.phase == BUILD_LISTS);
		assert_true(build_progress_percent(&p) >= percent);
		percent = build_progress_percent(&p);
		if (i == 2)
			assert_int_equal(p.phase, BUILD_LISTS);
		if (i == 7) {
			assert_int_equal(p.packages, 2);
			assert_int_equal(p.packages_done, 2);
			assert_int_equal(p.bytes, 29700000);
			assert_int_equal(p.bytes_done, 38637);
		}
		if (i == 16) {
			assert_int_equal(p.phase, BUILD_INSTALL);
			assert_int_equal(p.packages, 361);
		}
	}
	build_progress_unpacked(&p, 50, 100);
	assert_true(build_progress_percent(&p) > percent);
	build_progress_unpacked(&p, 200, 100);
	build_progress_begin(&p, BUILD_STORE, false);
	assert_true(build_progress_percent(&p) < 100);
	assert_string_equal(p.image, "x");
	assert_null(p.failure);
}

static void test_failure_is_told_by_its_first_line(void **state)
{
	struct build_progress p = { .essential = true };

	(void)state;
	build_progress_line(&p, "Err:1 http://a.example x InRelease");
	build_progress_line(&p, "  Temporary failure resolving 'a.example'");
	build_progress_line(&p, "E: Unable to locate package xterm");
	assert_non_null(strstr(p.failure, "network"));
	build_progress_line(&p, "I: creating tarball...");
	assert_non_null(p.failure);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recipe),
		cmocka_unit_test(test_recipe_of_a_layer),
		cmocka_unit_test(test_bad_recipes),
		TEST(test_sources),
		TEST(test_sources_of_another_suite),
		TEST(test_sources_that_move),
		TEST(test_stanzas_of_another_suite),
		TEST(test_no_sources),
		cmocka_unit_test(test_progress),
		cmocka_unit_test(test_failure_is_told_by_its_first_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
