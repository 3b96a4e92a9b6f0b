/* app/new-profile and app/desktop-entry: what is suggested for a package. */

#include "app/new-profile.h"

#include "app/desktop-entry.h"
#include "base/fs.h"
#include "profile/profile.h"
#include "scratch.h"
#include "unit.h"

static const struct new_profile paint = { .name = "my-paint", .package = "paint", .base = "base" };

#define INFO	     "var/lib/dpkg/info"
#define APPLICATIONS "usr/share/applications"

static void put(const struct scratch *s, const char *dir, const char *file, const char *text)
{
	_cleanup_free_ char *whole = xasprintf("%s/%s", s->path, dir);
	_cleanup_close_ int fd = -EBADF;
	struct error *error = NULL;

	assert_done(fs_make_path(whole, 0755, &fd, &error), error);
	assert_done(fs_write(fd, file, text, strlen(text), 0644, &error), error);
}

static struct profile *render(const struct scratch *s, const struct new_profile *n)
{
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;
	struct profile *p = NULL;

	assert_done(new_profile_render(n, s->path, &text, &error), error);
	assert_done(profile_read(text, strlen(text), "test", n->name, &p, &error), error);
	assert_string_equal(p->image, n->name);
	assert_int_equal(p->network, NETWORK_NONE);
	assert_int_equal(p->clipboard, CLIPBOARD_NONE);
	assert_false(p->playback);
	return p;
}

static void test_a_package_that_is_not_installed(void **state)
{
	_cleanup_(profile_freep) struct profile *p = render(*state, &paint);

	assert_string_equal(p->command, "paint");
	assert_null(p->arguments);
	assert_int_equal(p->file_arguments, FILE_ARGUMENTS_NONE);
}

static void test_its_desktop_file(void **state)
{
	const struct scratch *s = *state;
	_cleanup_(profile_freep) struct profile *p = NULL;

	put(s, INFO, "paint:amd64.list",
	    "/.\n/usr/bin/other\n/usr/share/applications/other.desktop\n"
	    "/usr/share/applications/paint.desktop\n/usr/bin/paint\n");
	put(s, APPLICATIONS, "other.desktop", "[Desktop Entry]\nExec=other\nName=Other\n");
	put(s, APPLICATIONS, "paint.desktop",
	    "# paint\n[Desktop Entry]\nName = Paint it\nExec=/usr/bin/paint --new %F\n"
	    "[Desktop Action x]\nExec=other\nNoDisplay=true\n");
	p = render(s, &paint);
	assert_string_equal(p->command, "/usr/bin/paint");
	assert_string_equal(p->arguments[0], "--new");
	assert_null(p->arguments[1]);
	assert_string_equal(p->title, "Paint it");
	assert_int_equal(p->file_arguments, FILE_ARGUMENTS_READ_ONLY);
}

static void test_its_programs(void **state)
{
	const struct scratch *s = *state;
	_cleanup_(profile_freep) struct profile *p = NULL, *q = NULL;

	put(s, INFO, "paint.list",
	    "/usr/bin/helper\n/usr/share/applications/p.desktop\n/usr/games/painter\n");
	put(s, APPLICATIONS, "p.desktop", "[Desktop Entry]\nExec=sh -c \"paint\"\n");
	p = render(s, &paint);
	assert_string_equal(p->command, "helper");
	put(s, INFO, "paint.list", "/usr/bin/helper\n/usr/games/paint\n");
	q = render(s, &paint);
	assert_string_equal(q->command, "paint");
}

static void test_desktop_files_that_do_not_serve(void **state)
{
	static const char *const texts[] = {
		"",
		"Exec=paint\n",
		"[Other]\nExec=paint\n",
		"[Desktop Entry]\nName=Paint\n",
		"[Desktop Entry]\nExec=\n",
		"[Desktop Entry]\nExec=%F\n",
		"[Desktop Entry]\nExec=-paint\n",
		"[Desktop Entry]\nExec=paint --file=%f\n",
		"[Desktop Entry]\nExec=paint \"a b\"\n",
		"[Desktop Entry]\nExec=paint $HOME\n",
		"[Desktop Entry]\nExec=paint \033[2J\n",
		"[Desktop Entry]\nExec=paint\nNoDisplay=true\n",
		"[Desktop Entry]\nTerminal = true\nExec=paint\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct desktop_entry e = { 0 };

		if (desktop_entry_read(texts[i], &e))
			fail_msg("'%s' was taken", texts[i]);
	}
}

static void test_recipe(void **state)
{
	_cleanup_free_ char *text = new_recipe_render(&paint);

	(void)state;
	assert_non_null(strstr(text, "\n[Image]\nDescription=paint\nBase=base\nPackages=paint\n"));
}

int main(void)
{
#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_make, scratch_remove)
	const struct CMUnitTest tests[] = {
		IN_SCRATCH(test_a_package_that_is_not_installed),
		IN_SCRATCH(test_its_desktop_file),
		IN_SCRATCH(test_its_programs),
		cmocka_unit_test(test_desktop_files_that_do_not_serve),
		cmocka_unit_test(test_recipe),
	};

	return cmocka_run_group_tests_name("new-profile", tests, NULL, NULL);
}
