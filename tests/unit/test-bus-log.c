#include "tests/unit/unit.h"

#include <string.h>

#include "base/buf.h"
#include "session/bus-log.h"

/* Each thing that is told, in a line. */
static void on_blocked(void *user, const struct bus_blocked *b)
{
	static const char *const deeds[] = { "call", "own", "look" };

	buf_addf(user, "%s %s %s %s\n", deeds[b->deed], b->name, b->member, b->path);
}

static char *told_of(const char *text, size_t size, size_t piece)
{
	struct buf told = { 0 };
	struct bus_log *l = bus_log_new(on_blocked, &told);

	for (size_t at = 0; at < size; at += piece)
		bus_log_take(l, text + at, piece < size - at ? piece : size - at);
	bus_log_free(l);
	return buf_take(&told);
}

#define CALL "C6: -> org.a.B call org.a.B.Do at /org/a\n"
#define ASK  "C7: -> org.freedesktop.DBus call org.freedesktop.DBus."

static void test_what_is_kept_back(void **state)
{
	static const struct {
		const char *text, *told;
	} rows[] = {
		{ "", "" },
		{ CALL, "" },
		{ CALL "*HIDDEN* (ping)\n", "call org.a.B org.a.B.Do /org/a\n" },
		{ CALL "*DENIED* (ping)\n", "call org.a.B org.a.B.Do /org/a\n" },
		{ CALL "*DENIED* (ping)\n*DENIED* (ping)\n", "call org.a.B org.a.B.Do /org/a\n" },
		{ CALL "B7: <- (no sender) return from C6\n*HIDDEN*\n", "" },
		{ CALL "*SKIPPED*\n", "" },
		{ "C6: -> all signal org.a.B.Done at /\n*HIDDEN*\n", "call all org.a.B.Done /\n" },
		{ "C2: -> org.freedesktop.DBus fake AddMatch for org.a.B\n*HIDDEN*\n", "" },
		{ ASK "RequestName at /\n"
		      "Filtering message due to arg0 org.a.B, policy: 0 (required 3)\n*HIDDEN* "
		      "(ping)\n",
		  "own org.a.B org.freedesktop.DBus.RequestName /\n" },
		{ ASK "GetNameOwner at /\n"
		      "Filtering message due to arg0 org.a.B, policy: 0 (required 1)\n",
		  "look org.a.B org.freedesktop.DBus.GetNameOwner /\n" },
		{ CALL "Filtering message due to arg0 org.a.B, policy: 0 (required 1)\n", "" },
		{ "Filtering message due to arg0 org.a.B, policy: 0 (required 1)\n", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		for (size_t piece = 1; piece < 60; piece += 29) {
			_cleanup_free_ char *told = told_of(rows[i].text, strlen(rows[i].text),
							    piece);

			assert_string_equal(told, rows[i].told);
		}
}

/* Names are those that D-Bus has; nothing else is told, and nothing of it is kept. */
static void test_hostile_names(void **state)
{
	static const char *const lines[] = {
		"C6: -> org.\033[2J call a.b at /\n",
		"C6: -> org.a call a.b'x at /\n",
		"C6: -> org.a call a.b at /\xc3\xa4\n",
		"C6: -> org.a call a.b at /a b\n",
		"C6: ->  call a.b at /\n",
		"C6: -> org.a call  at /\n",
		"C6: -> org.a call a.b at \n",
		"C6: -> org.a call a.b\n",
		"C6: -> org.a\n",
		"C6\n",
		"\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_free_ char *text = xasprintf(CALL "%s*HIDDEN* (ping)\n", lines[i]);
		_cleanup_free_ char *told = told_of(text, strlen(text), 7);

		assert_string_equal(told, "");
	}
}

static void test_long_lines(void **state)
{
	static const char end[] = " at /\n*HIDDEN*\n" CALL "*HIDDEN*\n";
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_free_ char *told = NULL;

	(void)state;
	buf_adds(&text, CALL "C6: -> org.a call a.");
	for (size_t i = 0; i < 100000; i++)
		buf_adds(&text, "b");
	buf_adds(&text, end);
	told = told_of(text.data, text.size, 4096);
	assert_string_equal(told, "call org.a.B org.a.B.Do /org/a\n");
}

static void test_nul(void **state)
{
	static const char text[] = "C6: -> org.a call a.b at /\0/x\n*HIDDEN*\n" CALL "*HIDDEN*\n";
	_cleanup_free_ char *told = told_of(text, sizeof text - 1, 5);

	(void)state;
	assert_string_equal(told, "call org.a.B org.a.B.Do /org/a\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_kept_back),
		cmocka_unit_test(test_hostile_names),
		cmocka_unit_test(test_long_lines),
		cmocka_unit_test(test_nul),
	};

	return cmocka_run_group_tests_name("bus-log", tests, NULL, NULL);
}
