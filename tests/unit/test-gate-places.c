#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/strv.h"
#include "session/gate.h"

static void test_place_keeps_name(void **state)
{
	static const struct {
		const char *name, *place;
	} rows[] = {
		{ "a.pdf", "files/a.pdf" },
		{ "new\nline \xff", "files/new\nline \xff" },
		{ "2.", "files/2." },
		{ "2a", "files/2a" },
		{ " 2", "files/ 2" },
		{ "...", "files/..." },
		/* The directories of namesakes have such names. */
		{ "2", "files/2/2" },
		{ "0", "files/2/0" },
		{ "00123456789", "files/2/00123456789" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *place = gate_place(rows[i].name, NULL);

		assert_string_equal(place, rows[i].place);
	}
}

static void test_place_is_free(void **state)
{
	char *taken[] = { "files/a", "files/b", "files/2/a", "files/4/a", "files/2/7", NULL };
	static const struct {
		const char *name, *place;
	} rows[] = {
		{ "a", "files/3/a" }, { "b", "files/2/b" }, { "c", "files/c" },
		{ "A", "files/A" },   { "7", "files/3/7" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *place = gate_place(rows[i].name, taken);

		assert_string_equal(place, rows[i].place);
	}
}

/* However many namesakes there are, each has a place of its own. */
static void test_places_differ(void **state)
{
	_cleanup_strv_ char **taken = NULL;

	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		char *place = gate_place(i % 3 ? "same" : "2", taken);

		assert_false(strv_contains(taken, place));
		strv_take(&taken, place);
	}
	assert_true(strv_contains(taken, "files/200/same"));
	assert_true(strv_contains(taken, "files/101/2"));
}

static void test_path_inside(void **state)
{
	static const struct {
		const char *place, *path;
	} rows[] = {
		{ "files/a.pdf", "/home/u/Files/a.pdf" },
		{ "files/2/a.pdf", "/home/u/Files/2/a.pdf" },
		{ "files/files", "/home/u/Files/files" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = gate_path_inside("/home/u", rows[i].place);

		assert_string_equal(path, rows[i].path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_place_keeps_name),
		cmocka_unit_test(test_place_is_free),
		cmocka_unit_test(test_places_differ),
		cmocka_unit_test(test_path_inside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
