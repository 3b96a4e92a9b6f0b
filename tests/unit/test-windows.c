/* What is said about who shows the windows: from the image's own list of packages. */

#include "app/windows.h"
#include "base/fs.h"
#include "image/stage.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static void stage_display(const char *home, const char *suite, const char *package,
			  const char *version)
{
	_cleanup_(manifest_freep) struct manifest *m = manifest_new("display", "test");
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(stage_release) struct stage s = STAGE_NONE;
	struct error *error = NULL;
	int root;

	free(m->suite);
	m->suite = xstrdup(suite);
	manifest_add_package(m, "xserver-xephyr", "2:21.1.7-3");
	if (package)
		manifest_add_package(m, package, version);
	assert_done(store_open(STORE_USER, home, true, &store, &error), error);
	assert_done(stage_begin(&store, "display", &s, &error), error);
	assert_done(stage_add_layer(&s, NULL, &root, &error), error);
	assert_done(stage_commit(&s, m, &error), error);
}

static void versions(void **state)
{
	static const struct {
		const char *version, *upstream;
	} rows[] = {
		{ "3.1.3+dfsg1-2+b3", "3.1.3" },
		{ "2:21.1.7-3+deb12u10", "21.1.7" },
		{ "6.0~rc1-1", "6.0" },
		{ "7", "7" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *upstream = upstream_version(rows[i].version);

		assert_string_equal(upstream, rows[i].upstream);
	}
}

static void text(void **state)
{
	const char *home = ((struct scratch *)*state)->path;
	struct error *error = NULL;
	char *shown = NULL;

	assert_refused(windows_text(home, DISPLAY_XPRA, &shown, &error), error, ENOENT,
		       "vitrine image build display");
	stage_display(home, "bookworm", "xpra", "3.1.3+dfsg1-2");
	assert_done(windows_text(home, DISPLAY_XPRA, &shown, &error), error);
	assert_string_equal(shown, "xpra 3.1.3 of the image 'display' (Debian 12)");
	free(shown);
	assert_done(windows_text(home, DISPLAY_XEPHYR, &shown, &error), error);
	assert_string_equal(shown, "Xephyr 21.1.7 of the image 'display' (Debian 12)");
	free(shown);
	assert_done(windows_text(home, DISPLAY_NONE, &shown, &error), error);
	assert_null(shown);
}

static void image_without_xpra(void **state)
{
	const char *home = ((struct scratch *)*state)->path;
	struct error *error = NULL;
	char *shown = NULL;

	stage_display(home, "trixie", NULL, NULL);
	assert_refused(windows_text(home, DISPLAY_XPRA, &shown, &error), error, ENOPKG,
		       "(Debian 13) has no xpra");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions),
		cmocka_unit_test_setup_teardown(text, scratch_make, scratch_remove),
		cmocka_unit_test_setup_teardown(image_without_xpra, scratch_make, scratch_remove),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
