/* box/watch and app/watch-text: orders, events and addresses on their way, and how they are told.
 */

#include "app/watch-text.h"

#include <arpa/inet.h>
#include <linux/audit.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/strv.h"
#include "unit.h"

static struct watch_policy sample_policy(void)
{
	struct watch_policy p = { .arch = AUDIT_ARCH_X86_64 };
	const struct policy_rule rules[] = {
		{ .name = "read", .allow = true },
		{ .name = "ptrace", .error = EPERM },
		{ .name = "ioctl",
		  .error = EACCES,
		  .has_condition = { [1] = true },
		  .conditions = { [1] = { POLICY_LOW, 0x5412 } } },
	};
	const uint32_t numbers[] = { 0, 101, 16 };

	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		watch_policy_add(&p, numbers[i], &rules[i], false, "f:7");
	return p;
}

static void test_order(void **state)
{
	_cleanup_(watch_policy_release) struct watch_policy policy = sample_policy();
	char *files[] = { (char *)"/home/u", (char *)"/tmp", NULL };
	const struct watch_order o = {
		.supervisor = 17, .mode = WATCH_LEARN, .files = files, .policy = policy
	};
	_cleanup_(watch_order_release) struct watch_order back = { 0 };
	_cleanup_buf_ struct buf data = { 0 };
	struct error *error = NULL;

	(void)state;
	watch_order_write(&o, &data);
	assert_done(watch_order_read(data.data, data.size, &back, &error), error);
	assert_int_equal(back.supervisor, 17);
	assert_int_equal(back.mode, WATCH_LEARN);
	assert_int_equal(strv_length(back.files), 2);
	assert_int_equal(back.policy.n, 3);
	assert_string_equal(back.policy.rules[2].rule.name, "ioctl");
	for (size_t size = 0; size < data.size; size++) {
		struct watch_order none = { 0 };

		assert_int_equal(watch_order_read(data.data, size, &none, &error), -EPROTO);
		assert_null(none.files);
		error = error_free(error);
	}
}

static void test_event(void **state)
{
	const struct watch_event e = {
		.kind = WATCH_EVENT_CALL,
		.pid = 5,
		.arch = AUDIT_ARCH_X86_64,
		.number = 16,
		.arguments = { 1, UINT64_C(0xdead00005412), 3, 4, 5, UINT64_MAX },
		.error = EACCES,
		.answered = true,
		.rule = 3,
		.program = (char *)"/bin/\377x",
		.text = (char *)"",
	};
	_cleanup_(watch_event_release) struct watch_event back = { 0 };
	_cleanup_buf_ struct buf data = { 0 };
	struct error *error = NULL;

	(void)state;
	watch_event_write(&e, &data);
	assert_done(watch_event_read(data.data, data.size, &back, &error), error);
	assert_memory_equal(back.arguments, e.arguments, sizeof e.arguments);
	assert_string_equal(back.program, e.program);
	assert_true(back.answered && !back.missing && back.rule == 3 && back.error == EACCES);
	assert_refused(watch_event_read(data.data, data.size - 1, &back, &error), error, EPROTO,
		       "bad event");
	data.data[0] = WATCH_EVENT_MAX;
	assert_refused(watch_event_read(data.data, data.size, &back, &error), error, EPROTO,
		       "bad event");
}

static void assert_address(const void *address, size_t size, const char *want)
{
	/* Exactly as large as it says: what is read behind it is found by a sanitizer. */
	_cleanup_free_ char *copy = xcalloc(1, size ? size : 1), *text = NULL;

	memcpy(copy, address, size);
	text = watch_address(copy, size);
	assert_string_equal(text, want);
}

static void test_addresses(void **state)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(443) };
	struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "/run/x" };
	size_t head = offsetof(struct sockaddr_un, sun_path);

	(void)state;
	assert_int_equal(inet_pton(AF_INET, "192.0.2.2", &in.sin_addr), 1);
	assert_int_equal(inet_pton(AF_INET6, "2001:db8::1", &in6.sin6_addr), 1);
	assert_address(&in, sizeof in, "inet:192.0.2.2:53");
	assert_address(&in6, sizeof in6, "inet6:[2001:db8::1]:443");
	assert_address(&in, sizeof in - 1, "family:2");
	assert_address(&un, sizeof un, "unix:/run/x");
	assert_address(&un, head + 3, "unix:/ru");
	memset(un.sun_path, 'a', sizeof un.sun_path); /* without a NUL */
	un.sun_path[0] = '\0';
	assert_address(&un, head + 4, "unix:@aaa");
	assert_address(&un, head, "unix:@");
	assert_address(&un, 1, "family:1");
	assert_address("", 0, "family:0");
}

static void test_paths(void **state)
{
	static const struct {
		const char *directory, *path, *want;
	} rows[] = {
		{ "/home/u", "a/b", "/home/u/a/b" },
		{ "/home/u", "../v", "/home/v" },
		{ "/home/u", "/x//./y/", "/x/y" },
		{ "/home/u", "../../../..", "/" },
		{ "", "/", "/" },
		{ "/", "a", "/a" },
		{ "", "a", NULL },
		{ "pipe:[4]", "a", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = watch_path(rows[i].directory, rows[i].path);

		if (!rows[i].want)
			assert_null(path);
		else
			assert_string_equal(path, rows[i].want);
	}
}

static void test_words(void **state)
{
	_cleanup_(watch_policy_release) struct watch_policy policy = sample_policy();
	static const struct {
		struct watch_event e;
		const char *want;
	} rows[] = {
		{ { .kind = WATCH_EVENT_CALL,
		    .arch = AUDIT_ARCH_X86_64,
		    .number = 16,
		    .arguments = { 1, 0x5412 },
		    .error = EACCES,
		    .answered = true,
		    .rule = 3,
		    .program = (char *)"/bin/\033x",
		    .text = (char *)"" },
		  "/bin/\\x1bx: ioctl(arg1 0x5412): EACCES (f:7: deny ioctl arg1 low 0x5412 errno "
		  "EACCES)" },
		{ { .kind = WATCH_EVENT_CALL,
		    .arch = AUDIT_ARCH_X86_64,
		    .number = 101,
		    .error = EPERM,
		    .rule = 2,
		    .program = (char *)"",
		    .text = (char *)"" },
		  "?: ptrace(), which went on: EPERM (f:7: deny ptrace)" },
		{ { .kind = WATCH_EVENT_CALL,
		    .arch = AUDIT_ARCH_I386,
		    .number = 16,
		    .error = ENOSYS,
		    .answered = true,
		    .program = (char *)"/a",
		    .text = (char *)"" },
		  "/a: number 16 of another architecture(): ENOSYS (no rule allows it)" },
		{ { .kind = WATCH_EVENT_CONNECT,
		    .program = (char *)"/a",
		    .missing = true,
		    .text = (char *)"unix:/b\n" },
		  "/a: connects to unix:/b\\x0a, which is not there" },
		{ { .kind = WATCH_EVENT_EXECUTE, .program = (char *)"/a", .text = (char *)"/b" },
		  "/a: executes '/b', where nothing can be executed" },
		{ { .kind = WATCH_EVENT_WRITE, .program = (char *)"/a", .text = (char *)"/b" },
		  "/a: opens '/b' for writing" },
		{ { .kind = WATCH_EVENT_LOST, .program = (char *)"", .text = (char *)"" },
		  "more happened than is told" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = watch_event_describe(&policy, &rows[i].e);
		json_auto_t *json = watch_event_to_json(&policy, &rows[i].e);

		assert_string_equal(text, rows[i].want);
		assert_true(json_is_object(json));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),	  cmocka_unit_test(test_event),
		cmocka_unit_test(test_addresses), cmocka_unit_test(test_paths),
		cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests_name("watch-events", tests, NULL, NULL);
}
