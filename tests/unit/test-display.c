#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "session/display-commands.h"

static char *display_env[] = { "PATH=/usr/bin:/bin", "HOME=/home/u", "DISPLAY=:3", NULL };
static char *viewer_env[] = { "PATH=/usr/bin:/bin", "DISPLAY=:0", "NO_AT_BRIDGE=no", NULL };

static struct plan plan_of(const char *label, enum clipboard clipboard)
{
	struct plan p = {
		.label = (char *)label,
		.border = "#12c845",
		.screen = "1024x768",
		.display_number = 12,
		.clipboard = clipboard,
	};

	p.boxes[BOX_DISPLAY].environment = display_env;
	p.boxes[BOX_VIEWER].environment = viewer_env;
	return p;
}

/* The one entry that starts with `prefix`, without it; fails where there are none or more. */
static const char *value_of(char *const *v, const char *prefix)
{
	const char *found = NULL;

	for (; *v; v++) {
		if (strncmp(*v, prefix, strlen(prefix)))
			continue;
		assert_null(found);
		found = *v + strlen(prefix);
	}
	assert_non_null(found);
	return found;
}

static void test_xvfb_grows_with_desktop(void **state)
{
	static const struct {
		struct screen_size desktop;
		const char *screen;
	} cases[] = {
		{ { 0, 0 }, "5760x2560x24+32" },
		{ { 1280, 1024 }, "3840x2160x24+32" },
		{ { 5120, 1440 }, "5120x2160x24+32" },
		{ { 1080, 3840 }, "3840x3840x24+32" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_strv_ char **v = xvfb_argv(12, cases[i].desktop);

		assert_true(strv_contains(v, cases[i].screen));
		assert_true(strv_contains(v, BOX_AUTH_FILE));
		assert_string_equal(v[1], ":12");
	}
}

static void test_xephyr_says_whose_it_is(void **state)
{
	struct plan p = plan_of("web", CLIPBOARD_NONE);
	_cleanup_strv_ char **v = xephyr_argv(&p);

	(void)state;
	assert_true(strv_contains(v, "[web]"));
	assert_true(strv_contains(v, "1024x768"));
	assert_true(strv_contains(v, "-no-host-grab"));
	assert_true(strv_contains(v, BOX_AUTH_FILE));
}

static void test_title_has_label(void **state)
{
	static const struct {
		const char *label, *title;
	} cases[] = {
		{ "web", "[web] @title@" },
		{ "a@b", "[a@@b] @title@" },
		{ "@title@", "[@@title@@] @title@" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan p = plan_of(cases[i].label, CLIPBOARD_NONE);
		_cleanup_strv_ char **v = xpra_viewer_argv(&p, BOX_XPRA_DIR);

		assert_string_equal(value_of(v, "--title="), cases[i].title);
		assert_string_equal(value_of(v, "--border="), "#12c845,3");
	}
}

static void test_clipboard_directions(void **state)
{
	static const struct {
		enum clipboard clipboard;
		const char *on, *direction;
	} cases[] = {
		{ CLIPBOARD_NONE, "no", NULL },
		{ CLIPBOARD_TO_DESKTOP, "yes", "to-client" },
		{ CLIPBOARD_TO_SANDBOX, "yes", "to-server" },
		{ CLIPBOARD_BOTH, "yes", "both" },
	};

	(void)state;
	assert_int_equal(ARRAY_SIZE(cases), CLIPBOARD_MAX);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct plan p = plan_of("web", cases[i].clipboard);
		_cleanup_strv_ char **viewer = xpra_viewer_argv(&p, BOX_XPRA_DIR);
		_cleanup_strv_ char **server = xpra_server_argv(&p);

		assert_string_equal(value_of(viewer, "--clipboard="), cases[i].on);
		assert_string_equal(value_of(server, "--clipboard="), cases[i].on);
		if (cases[i].direction)
			assert_string_equal(value_of(viewer, "--clipboard-direction="),
					    cases[i].direction);
		else
			for (char **v = viewer; *v; v++)
				assert_null(strstr(*v, "--clipboard-direction"));
	}
}

static void test_both_sides_refuse_the_rest(void **state)
{
	static const char *const off[] = {
		"--bell=",	    "--file-transfer=", "--global-menus=",	 "--microphone=",
		"--notifications=", "--open-files=",	"--open-url=",		 "--printing=",
		"--speaker=",	    "--system-tray=",	"--start-new-commands=", "--webcam=",
		"--xsettings=",
	};
	struct plan p = plan_of("web", CLIPBOARD_BOTH);
	_cleanup_strv_ char **viewer = xpra_viewer_argv(&p, BOX_XPRA_DIR);
	_cleanup_strv_ char **server = xpra_server_argv(&p);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(off); i++) {
		assert_string_equal(value_of(viewer, off[i]), "no");
		assert_string_equal(value_of(server, off[i]), "no");
	}
	assert_string_equal(value_of(viewer, "--packet-encoders="), "rencode");
	assert_string_equal(value_of(viewer, "--compressors="), "none");
	assert_string_equal(value_of(viewer, "--mmap="), value_of(server, "--mmap="));
	assert_string_equal(value_of(viewer, "--socket-dir="), value_of(server, "--socket-dir="));
}

static void test_environment_replaces(void **state)
{
	struct plan p = plan_of("web", CLIPBOARD_NONE);
	_cleanup_strv_ char **server = xpra_server_env(&p);
	_cleanup_strv_ char **viewer = xpra_viewer_env(viewer_env);

	(void)state;
	assert_string_equal(value_of(server, "DISPLAY="), ":12");
	assert_string_equal(value_of(server, "XAUTHORITY="), BOX_AUTH_FILE);
	assert_string_equal(value_of(server, "HOME="), "/home/u");
	assert_string_equal(value_of(viewer, "DISPLAY="), ":0");
	assert_string_equal(value_of(viewer, "NO_AT_BRIDGE="), "1");
	assert_string_equal(value_of(viewer, "XPRA_USE_X11_BINDINGS="), "0");
	assert_null(strstr(value_of(viewer, "XPRA_METADATA_SUPPORTED="), "icon-title"));
}

static void test_read_size(void **state)
{
	static const struct {
		const char *line;
		uint32_t width, height; /* 0: refused */
	} cases[] = {
		{ "Screen 0: minimum 8 x 8, current 1280 x 1024, maximum 32767 x 32767", 1280,
		  1024 },
		{ "Screen 0: minimum 1 x 1, current 16384 x 1, maximum 1 x 1", 16384, 1 },
		{ "Screen 0: minimum 1 x 1, current 16385 x 1, maximum 1 x 1", 0, 0 },
		{ "Screen 0: minimum 1 x 1, current 0 x 10, maximum 1 x 1", 0, 0 },
		{ "Screen 0: minimum 1 x 1, current 99999999999999999999 x 1, ", 0, 0 },
		{ "Screen 0: minimum 1 x 1, current 1280 x 1024", 0, 0 },
		{ "Screen 0: minimum 1 x 1, current 1280x1024, ", 0, 0 },
		{ "Screen 0: minimum 1 x 1, current -5 x 5, ", 0, 0 },
		{ "screen connected 1280x1024+0+0, current 1 x 1, ", 0, 0 },
		{ "", 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct screen_size s = { 0 };

		assert_int_equal(xrandr_read_size(cases[i].line, &s), cases[i].width != 0);
		assert_int_equal(s.width, cases[i].width);
		assert_int_equal(s.height, cases[i].height);
	}
}

static void test_resize_has_three_steps(void **state)
{
	static const char *const want[] = {
		"/usr/bin/xrandr --newmode 1280x800 0 1280 1280 1280 1280 800 800 800 800",
		"/usr/bin/xrandr --addmode screen 1280x800",
		"/usr/bin/xrandr --output screen --mode 1280x800",
	};
	const struct screen_size size = { 1280, 800 };

	(void)state;
	for (unsigned i = 0; i < ARRAY_SIZE(want); i++) {
		_cleanup_strv_ char **v = xrandr_resize_argv(i, size);
		_cleanup_free_ char *line = strv_join(v, " ");

		assert_string_equal(line, want[i]);
	}
	assert_null(xrandr_resize_argv(ARRAY_SIZE(want), size));
}

static void test_ready_lines(void **state)
{
	(void)state;
	assert_true(x_server_says_ready("12", 12));
	assert_false(x_server_says_ready("1", 12));
	assert_false(x_server_says_ready("12 ", 12));
	assert_false(x_server_says_ready("", 12));
	assert_true(xpra_server_says_ready("2026-11-22 05:20:09,241 xpra is ready."));
	assert_false(xpra_server_says_ready("xpra is starting"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_xvfb_grows_with_desktop),
		cmocka_unit_test(test_xephyr_says_whose_it_is),
		cmocka_unit_test(test_title_has_label),
		cmocka_unit_test(test_clipboard_directions),
		cmocka_unit_test(test_both_sides_refuse_the_rest),
		cmocka_unit_test(test_environment_replaces),
		cmocka_unit_test(test_read_size),
		cmocka_unit_test(test_resize_has_three_steps),
		cmocka_unit_test(test_ready_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
