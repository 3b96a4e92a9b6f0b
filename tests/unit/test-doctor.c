#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "app/doctor-text.h"
#include "base/alloc.h"

static void display_numbers(void **state)
{
	static const struct {
		const char *text;
		int number; /* -1: refused */
	} rows[] = {
		{ ":0", 0 },
		{ ":10", 10 },
		{ ":1.0", 1 },
		{ "unix:7", 7 },
		{ "unix:7.2", 7 },
		{ "", -1 },
		{ ":", -1 },
		{ "0", -1 },
		{ ":x", -1 },
		{ ":-1", -1 },
		{ ":1.", -1 },
		{ ":1.0.0", -1 },
		{ ":99999999999", -1 },
		{ "localhost:10.0", -1 },
		{ "unixes:1", -1 },
		{ "/tmp/socket:0", -1 },
		{ "::1", -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t number = 0;
		int r = display_number(rows[i].text, &number);

		if (rows[i].number < 0) {
			assert_int_equal(r, -EINVAL);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(number, rows[i].number);
	}
}

static void pulse_sockets(void **state)
{
	static const struct {
		const char *server, *runtime_dir, *path;
	} rows[] = {
		{ NULL, "/run/user/1", "/run/user/1/pulse/native" },
		{ "", "/run/user/1", "/run/user/1/pulse/native" },
		{ NULL, NULL, NULL },
		{ "/run/p", NULL, "/run/p" },
		{ "unix:/run/p", "/run/user/1", "/run/p" },
		{ "unix:/run/p tcp:host", NULL, "/run/p" },
		{ "{4711}unix:/run/p", NULL, "/run/p" },
		{ "{4711", NULL, NULL },
		{ "tcp:host:4713", "/run/user/1", NULL },
		{ "unix:relative", "/run/user/1", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = pulse_socket(rows[i].server, rows[i].runtime_dir);

		if (rows[i].path)
			assert_string_equal(path, rows[i].path);
		else
			assert_null(path);
	}
}

static void free_ranges(void **state)
{
	static const struct {
		const char *text;
		uint32_t first;
	} rows[] = {
		{ "", 100000 },
		{ "a:1000:10\n", 100000 },
		{ "a:100000:65536\n", 165536 },
		{ "a:300000:65536\nb:100000:65536\n", 365536 },
		{ "# comment\nbad\na:x:y\na:100000:\n", 100000 },
		{ "a:4294967000:65536\nb:100000:65536\n", 165536 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(free_sub_ids(rows[i].text, 65536), rows[i].first);
}

static void user_namespace_settings(void **state)
{
	static const struct {
		struct userns_settings settings;
		const char *part;
	} rows[] = {
		{ { "0", "15000", NULL }, "kernel.unprivileged_userns_clone=1" },
		{ { "1", "0", NULL }, "user.max_user_namespaces=" },
		{ { NULL, "15000", "1" }, "sudo vitrine admin install-policies" },
		{ { "1", "15000", "0" }, "CONFIG_USER_NS" },
		{ { NULL, NULL, NULL }, "CONFIG_USER_NS" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *mend = userns_mend(&rows[i].settings);

		assert_non_null(strstr(mend, rows[i].part));
	}
}

static struct diagnosis rows_of_report[] = {
	{ "overlay", DOCTOR_OK, (char *)"works", (char *)"" },
	{ "sound server", DOCTOR_WARNING, (char *)"at '\033[31m'", (char *)"start it" },
};
static const struct diagnoses report = { rows_of_report, ARRAY_SIZE(rows_of_report) };

static void table(void **state)
{
	_cleanup_free_ char *text = diagnoses_render(&report, false);

	(void)state;
	assert_string_equal(text, "ok       overlay       works\n"
				  "warning  sound server  at '\\x1b[31m'\n"
				  "                       -> start it\n"
				  "\n2 checks: 1 ok, 1 warning, 0 failures. "
				  "Applications can be run in sandboxes.\n");
	assert_false(diagnoses_have_failure(&report));
}

static void table_in_colour(void **state)
{
	_cleanup_free_ char *text = diagnoses_render(&report, true);

	(void)state;
	assert_non_null(strstr(text, "\033[32mok     \033[0m  overlay"));
	assert_non_null(strstr(text, "\033[33mwarning\033[0m  sound server"));
}

static void table_with_failure(void **state)
{
	struct diagnosis row = { "display", DOCTOR_FAILURE, (char *)"none", (char *)"log in" };
	const struct diagnoses failed = { &row, 1 };
	_cleanup_free_ char *text = diagnoses_render(&failed, false);

	(void)state;
	assert_non_null(strstr(text, "0 warnings, 1 failure. Applications cannot be run"));
	assert_true(diagnoses_have_failure(&failed));
}

static void json(void **state)
{
	json_auto_t *all = diagnoses_to_json(&report);
	const json_t *second = json_array_get(all, 1);

	(void)state;
	assert_int_equal(json_array_size(all), 2);
	assert_string_equal(json_string_value(json_object_get(second, "name")), "sound server");
	assert_string_equal(json_string_value(json_object_get(second, "result")), "warning");
	assert_string_equal(json_string_value(json_object_get(second, "detail")), "at '\\x1b[31m'");
	assert_string_equal(json_string_value(json_object_get(second, "mend")), "start it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(display_numbers),
		cmocka_unit_test(pulse_sockets),
		cmocka_unit_test(free_ranges),
		cmocka_unit_test(user_namespace_settings),
		cmocka_unit_test(table),
		cmocka_unit_test(table_in_colour),
		cmocka_unit_test(table_with_failure),
		cmocka_unit_test(json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
