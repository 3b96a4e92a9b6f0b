#include "tests/unit/unit.h"

#include "app/denial-owner.h"
#include "app/denial.h"

#define STAMP  "audit(1690000000.123:45): "
#define AVC    "type=AVC msg=" STAMP
#define DENIED "apparmor=\"DENIED\" "
#define FILE_RULE                                                                           \
	DENIED "operation=\"open\" class=\"file\" profile=\"vitrine-app\" name=\"/srv/x\" " \
	       "pid=12 comm=\"cat\" requested_mask=\"r\" denied_mask=\"r\" fsuid=101025 ouid=0"

static bool parse(const char *line, struct denial *ret)
{
	return denial_parse(line, strlen(line), ret);
}

static void both_forms(void **state)
{
	static const char *const lines[] = {
		AVC FILE_RULE,
		"audit: type=1400 " STAMP FILE_RULE,
		"[  12.345678] audit: type=1400 " STAMP FILE_RULE,
		"kernel: audit: type=1400 " STAMP FILE_RULE "\n",
		AVC FILE_RULE "\x1d"
			      "FSUID=\"unknown(101025)\" OUID=\"root\"",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_(denial_release) struct denial d = DENIAL_NONE;

		assert_true(parse(lines[i], &d));
		assert_true(d.time_ms == UINT64_C(1690000000123));
		assert_int_equal(d.serial, 45);
		assert_int_equal(d.pid, 12);
		if (i != 3) /* there the number ends with a newline */
			assert_int_equal(d.uid, 101025);
		assert_string_equal(d.operation, "open");
		assert_string_equal(d.profile, "vitrine-app");
		assert_string_equal(d.name, "/srv/x");
		assert_string_equal(d.program, "cat");
		assert_string_equal(d.mask, "r");
		assert_null(d.policy);
		assert_null(d.peer);
	}
}

/* As journald has it from the audit socket: the time is elsewhere. */
static void without_a_stamp(void **state)
{
	_cleanup_(denial_release) struct denial d = DENIAL_NONE;

	(void)state;
	assert_true(parse("AVC " FILE_RULE, &d));
	assert_int_equal(d.time_ms, 0);
	assert_int_equal(d.serial, 0);
	assert_string_equal(d.name, "/srv/x");
}

static void other_lines(void **state)
{
	static const char *const lines[] = {
		"",
		"apparmor=",
		"apparmor=\"",
		"apparmor=\"DENIED",
		"apparmor=DENIED operation=\"open\"",
		AVC "apparmor=\"ALLOWED\" operation=\"open\" name=\"/x\"",
		AVC "apparmor=\"STATUS\" operation=\"profile_load\" name=\"x\"",
		AVC "apparmor=\"AUDIT\" operation=\"open\" name=\"apparmor=\"DENIED\"\"",
		AVC DENIED,
		AVC DENIED "name=\"/x\"",
		"type=SYSCALL msg=" STAMP "arch=c000003e syscall=257 success=no exit=-13",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		struct denial d = DENIAL_NONE;

		if (parse(lines[i], &d))
			fail_msg("'%s'", lines[i]);
	}
}

static void chosen_text(void **state)
{
	static const struct {
		const char *written, *name;
	} rows[] = {
		{ "\"/srv/x\"", "/srv/x" },
		{ "2F7372762F612062", "/srv/a b" },
		{ "2f7372762f0a", "/srv/\n" },
		{ "2F22206E616D653D222F", "/\" name=\"/" },
		{ "00612F", "@a/" },
		{ "\"2F73\"", "2F73" }, /* in quotation marks it is what it says */
		{ "2F7", "2F7" },	/* not whole, so not hexadecimal */
		{ "2F7G", "2F7G" },
		{ "\"\"", "" },
		{ "C3A4", "\xc3\xa4" },
		{ "\"/a b=c apparmor=\"", "/a b=c apparmor=" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *line = xasprintf(
			AVC DENIED "operation=\"open\" name=%s comm=6361740A pid=1",
			rows[i].written);
		_cleanup_(denial_release) struct denial d = DENIAL_NONE;

		assert_true(parse(line, &d));
		assert_string_equal(d.name, rows[i].name);
		assert_string_equal(d.program, "cat\n");
		assert_int_equal(d.pid, 1);
	}
}

/* The first of a key counts: a second one could only be from outside. */
static void twice(void **state)
{
	_cleanup_(denial_release) struct denial d = DENIAL_NONE;

	(void)state;
	assert_true(
		parse(AVC DENIED "operation=\"open\" name=\"/a\" name=\"/b\" operation=\"x\"", &d));
	assert_string_equal(d.name, "/a");
	assert_string_equal(d.operation, "open");
}

static void bad_numbers(void **state)
{
	static const char *const lines[] = {
		"type=AVC msg=audit(1690000000.123) " FILE_RULE,
		"type=AVC msg=audit(1690000000:45) " FILE_RULE,
		"type=AVC msg=audit(-1.0:45) " FILE_RULE,
		"type=AVC msg=audit(99999999999999999999.0:45) " FILE_RULE,
		"type=AVC msg=audit(1.1000:45) " FILE_RULE,
		"type=AVC msg=audit(1.1:) " FILE_RULE,
		"type=AVC msg=audit( " FILE_RULE,
		FILE_RULE " msg=" STAMP, /* behind what a program has chosen */
	};
	_cleanup_(denial_release) struct denial d = DENIAL_NONE;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		assert_true(parse(lines[i], &d));
		assert_int_equal(d.time_ms, 0);
		denial_release(&d);
	}
	assert_true(parse(AVC DENIED "operation=\"open\" pid=-1 fsuid=18446744073709551616", &d));
	assert_true(d.pid == DENIAL_NO_ID);
	assert_true(d.uid == DENIAL_NO_ID);
}

static void stacked_labels(void **state)
{
	_cleanup_(denial_release) struct denial d = DENIAL_NONE;

	(void)state;
	assert_true(parse(AVC DENIED "operation=\"ptrace\" class=\"ptrace\" "
				     "namespace=\"root//vitrine-1000\" profile=\"own\" pid=3 "
				     "comm=\"gdb\" requested_mask=\"trace\" denied_mask=\"trace\" "
				     "peer=\"vitrine-app//&:vitrine-1000:own\"",
			  &d));
	assert_string_equal(d.policy, "root//vitrine-1000");
	assert_string_equal(d.profile, "own");
	assert_string_equal(d.peer, "vitrine-app//&:vitrine-1000:own");
	assert_true(d.uid == DENIAL_NO_ID);
}

static void callers(void **state)
{
	static const char line[] =
		"type=SYSCALL msg=" STAMP "arch=c000003e syscall=257 success=no exit=-13 a0=1 "
		"ppid=1 pid=12 auid=1000 uid=0 gid=1 euid=2 suid=3 fsuid=101025 egid=1 "
		"comm=\"cat\" exe=\"/usr/bin/cat\"\x1d"
		"FSUID=\"x\"";
	uint64_t serial = 0, uid = 0;

	(void)state;
	assert_true(denial_parse_caller(line, strlen(line), &serial, &uid));
	assert_int_equal(serial, 45);
	assert_int_equal(uid, 101025);
	assert_false(denial_parse_caller(line, 60, &serial, &uid));
	assert_false(denial_parse_caller(line + 1, strlen(line) - 1, &serial, &uid));
	assert_false(denial_parse_caller("", 0, &serial, &uid));
}

static void descriptions(void **state)
{
	static const struct {
		const char *line, *text;
	} rows[] = {
		{ FILE_RULE, "cat[12] may not open '/srv/x' (r); profile vitrine-app" },
		{ DENIED "operation=\"exec\" profile=\"p\" name=\"/bin/su\" pid=1 comm=\"sh\" "
			 "denied_mask=\"x\"",
		  "sh[1] may not run '/bin/su' (x); profile p" },
		{ DENIED "operation=\"capable\" profile=\"p\" pid=1 comm=\"sh\" capability=21  "
			 "capname=\"sys_admin\"",
		  "sh[1] may not use the capability 'sys_admin'; profile p" },
		{ DENIED "operation=\"mount\" info=\"failed mntpnt match\" error=-13 profile=\"p\" "
			 "name=\"/mnt/\" pid=1 comm=\"mount\" fstype=\"tmpfs\" srcname=\"none\"",
		  "mount[1] may not mount on '/mnt/', other path 'none', because: failed mntpnt "
		  "match; profile p" },
		{ DENIED "operation=\"signal\" profile=\"p\" pid=1 comm=\"sh\" "
			 "denied_mask=\"send\" signal=kill peer=\"q\"",
		  "sh[1] may not signal 'q' (send), signal kill; profile p" },
		{ DENIED "operation=\"create\" profile=\"p\" pid=1 comm=\"nc\" family=\"inet\" "
			 "sock_type=\"dgram\" denied_mask=\"create\"",
		  "nc[1] may not make a socket of the family 'inet' (create); profile p" },
		{ DENIED "operation=\"userns_create\" profile=\"p\" pid=1 comm=\"x\" "
			 "denied=\"userns_create\"",
		  "x[1] may not make a user namespace (userns_create); profile p" },
		{ DENIED "operation=\"never_heard\" name=\"/x\"", "? may not never_heard '/x'" },
		{ DENIED "operation=\"open\" comm=1B5B33316D name=2F0A1B5B",
		  "\\x1b[31m may not open '/\\x0a\\x1b['" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(denial_release) struct denial d = DENIAL_NONE;
		_cleanup_free_ char *text = NULL;

		assert_true(parse(rows[i].line, &d));
		text = denial_describe(&d);
		assert_string_equal(text, rows[i].text);
	}
}

static void objects(void **state)
{
	_cleanup_(denial_release) struct denial d = DENIAL_NONE;
	json_auto_t *json = NULL;

	(void)state;
	assert_true(parse(AVC DENIED "operation=\"open\" name=FF2F pid=7", &d));
	json = denial_to_json(&d);
	assert_string_equal(json_string_value(json_object_get(json, "name")), "\\xff/");
	assert_int_equal(json_integer_value(json_object_get(json, "pid")), 7);
	assert_true(json_is_null(json_object_get(json, "uid")));
	assert_true(json_is_null(json_object_get(json, "denied")));
	assert_true(json_is_null(json_object_get(json, "target")));
}

static void whose(void **state)
{
	static const struct id_range sub_ids = { 100000, 65536 };
	const struct {
		struct denial d;
		bool ours;
	} rows[] = {
		{ { .uid = 100000 }, true },
		{ { .uid = 165535, .profile = (char *)"other" }, true },
		{ { .uid = 99999, .profile = (char *)"vitrine-app" }, false },
		{ { .uid = 165536, .profile = (char *)"vitrine-app" }, false },
		{ { .uid = 1000, .profile = (char *)"evince" }, false },
		{ { .uid = 1000, .profile = (char *)"vitrine-app" }, true },
		{ { .uid = 1000, .profile = (char *)"own", .policy = (char *)"root//vitrine-1000" },
		  true },
		{ { .uid = DENIAL_NO_ID, .profile = (char *)"vitrine-viewer" }, true },
		{ { .uid = DENIAL_NO_ID, .profile = (char *)"evince" }, false },
		{ { .uid = DENIAL_NO_ID }, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(denial_is_of_user(&rows[i].d, 1000, &sub_ids), rows[i].ours);
}

static void owners(void **state)
{
	static struct id_range a[] = { { 100010, 1 }, { 100011, 1 } }, b[] = { { 100014, 1 } };
	struct denial_owner v[] = {
		{ .id = (char *)"a", .init = INT32_MAX, .started_ms = 5000, .ids = a, .n_ids = 2 },
		{ .id = (char *)"b", .init = INT32_MAX - 1, .ids = b, .n_ids = 1 },
	};
	const struct denial_owners all = { .v = v, .n = ARRAY_SIZE(v), .uid = 1000 };
	struct denial d = DENIAL_NONE;

	(void)state;
	d.uid = 100011;
	d.time_ms = 5000;
	assert_ptr_equal(denial_owner_find(&all, &d), &v[0]);
	d.time_ms = 4999; /* the ids were those of another sandbox */
	assert_null(denial_owner_find(&all, &d));
	d.uid = 100014;
	assert_ptr_equal(denial_owner_find(&all, &d), &v[1]);
	d.uid = 100012;
	assert_null(denial_owner_find(&all, &d));
	d.uid = 1000;
	d.pid = INT32_MAX - 1;
	assert_ptr_equal(denial_owner_find(&all, &d), &v[1]);
	d.uid = DENIAL_NO_ID;
	assert_ptr_equal(denial_owner_find(&all, &d), &v[1]);
	d.pid = 1;
	assert_null(denial_owner_find(&all, &d));
	d.pid = DENIAL_NO_ID;
	assert_null(denial_owner_find(&all, &d));
}

static void id_maps(void **state)
{
	_cleanup_free_ struct id_range *ids = NULL;
	size_t n = 0;

	(void)state;
	assert_int_equal(id_map_parse("         0     100008          1\n"
				      "      1000     100009          1\n",
				      &ids, &n),
			 0);
	assert_int_equal(n, 2);
	assert_int_equal(ids[1].first, 100009);
	assert_int_equal(ids[1].count, 1);
	assert_int_equal(id_map_parse("0 1\n", &ids, &n), -EINVAL);
	assert_int_equal(id_map_parse("0 1 2 3\n", &ids, &n), -EINVAL);
	assert_int_equal(id_map_parse("0 x 2\n", &ids, &n), -EINVAL);
}

static void times(void **state)
{
	(void)state;
	assert_true(state_time_ms("2023-07-22T04:26:40Z") == UINT64_C(1690000000000));
	assert_int_equal(state_time_ms("2023-07-22T04:26:40"), 0);
	assert_int_equal(state_time_ms("2023-07-22T04:26:40Zx"), 0);
	assert_int_equal(state_time_ms(""), 0);
	assert_int_equal(state_time_ms(NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_forms),	  cmocka_unit_test(without_a_stamp),
		cmocka_unit_test(other_lines),	  cmocka_unit_test(chosen_text),
		cmocka_unit_test(twice),	  cmocka_unit_test(bad_numbers),
		cmocka_unit_test(stacked_labels), cmocka_unit_test(callers),
		cmocka_unit_test(descriptions),	  cmocka_unit_test(objects),
		cmocka_unit_test(whose),	  cmocka_unit_test(owners),
		cmocka_unit_test(id_maps),	  cmocka_unit_test(times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
