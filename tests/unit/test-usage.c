#include "tests/unit/unit.h"

#include "app/usage.h"

#define STAT \
	"4711 (sh) S 12 4711 4711 34816 4711 4194304 100 200 3 4 10 20 300 4000 20 0 7 0 99 1 2\n"

static void processes(void **state)
{
	static const struct {
		const char *text;
		int result;
	} rows[] = {
		{ STAT, 0 },
		{ "", -EINVAL },
		{ "1", -EINVAL },
		{ "1 (a", -EINVAL },
		{ "1 (a) S 2", -EINVAL },
		{ ") 1 (", -EINVAL },
		{ "x (sh) S 12 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n", -EINVAL },
		{ "1 (sh) S -2 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n", -EINVAL },
		{ "1 (sh) S 2147483648 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n", -EINVAL },
		{ "1 (sh) S 2 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 x 1\n", -EINVAL },
		{ "1 (sh) S 2 1 1 -1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\n", 0 },
	};
	struct process p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (usage_parse_stat(rows[i].text, &p) != rows[i].result)
			fail_msg("'%s'", rows[i].text);
	assert_int_equal(usage_parse_stat(STAT, &p), 0);
	assert_int_equal(p.pid, 4711);
	assert_int_equal(p.parent, 12);
	assert_int_equal(p.ticks, 4330);
	assert_int_equal(p.threads, 7);
}

/* A program may be called like the rest of the line, or have a newline in its name. */
static void names_of_programs(void **state)
{
	static const char *const names[] = { "a) S 1 1 1", "", ")", "(", "a b", "a\nb) Z 9 (" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *text = xasprintf(
			"7 (%s) R 5 1 1 1 1 1 1 1 1 1 1 1 1 1 20 0 3 0 9\n", names[i]);
		struct process p;

		assert_int_equal(usage_parse_stat(text, &p), 0);
		assert_int_equal(p.pid, 7);
		assert_int_equal(p.parent, 5);
		assert_int_equal(p.ticks, 4);
		assert_int_equal(p.threads, 3);
	}
}

static void sums_do_not_wrap(void **state)
{
	struct process p;

	(void)state;
	assert_int_equal(
		usage_parse_stat(
			"1 (a) S 2 1 1 1 1 1 1 1 1 1 18446744073709551615 1 0 0 20 0 1 0\n", &p),
		0);
	assert_true(p.ticks == UINT64_MAX);
	assert_int_equal(
		usage_parse_stat(
			"1 (a) S 2 1 1 1 1 1 1 1 1 1 18446744073709551616 1 0 0 20 0 1 0\n", &p),
		-EINVAL);
}

static void memory(void **state)
{
	uint64_t pages = 77;

	(void)state;
	assert_int_equal(usage_parse_statm("1000 300 120 1 0 50 0\n", &pages), 0);
	assert_int_equal(pages, 180);
	assert_int_equal(usage_parse_statm("1000 100 120 1 0 50 0\n", &pages), 0);
	assert_int_equal(pages, 0);
	pages = 77;
	assert_int_equal(usage_parse_statm("", &pages), -EINVAL);
	assert_int_equal(usage_parse_statm("1 2\n", &pages), -EINVAL);
	assert_int_equal(usage_parse_statm("1 2 x\n", &pages), -EINVAL);
	assert_int_equal(pages, 77);
}

#define NET_HEAD                                         \
	"Inter-|   Receive                |  Transmit\n" \
	" face |bytes    packets errs     |bytes    packets\n"

static void network(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t received, sent;
	} rows[] = {
		{ NET_HEAD, 0, 0, 0 },
		{ NET_HEAD "    lo: 9 9 9 9 9 9 9 9 9 9\n", 0, 0, 0 },
		{ NET_HEAD
		  "  tap0: 100 1 0 0 0 0 0 0 42 3 0 0 0 0 0 0\n    lo: 9 9 9 9 9 9 9 9 9 9\n",
		  0, 100, 42 },
		{ NET_HEAD "a:1 1 0 0 0 0 0 0 2 3\nb:10 1 0 0 0 0 0 0 20 3\n", 0, 11, 22 },
		{ NET_HEAD "tap0: 1 2 3\n", -EINVAL, 0, 0 },
		{ NET_HEAD "tap0 1 2 3 4 5 6 7 8 9\n", -EINVAL, 0, 0 },
		{ NET_HEAD "tap0: x 2 3 4 5 6 7 8 9\n", -EINVAL, 0, 0 },
		{ "", -EINVAL, 0, 0 },
		{ "one line", -EINVAL, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t received = 0, sent = 0;

		if (usage_parse_net(rows[i].text, &received, &sent) != rows[i].result ||
		    received != rows[i].received || sent != rows[i].sent)
			fail_msg("row %zu: %ju %ju", i, (uintmax_t)received, (uintmax_t)sent);
	}
}

static void cgroup_files(void **state)
{
	uint64_t value = 1;

	(void)state;
	assert_int_equal(usage_parse_single("4096\n", &value), 0);
	assert_int_equal(value, 4096);
	assert_int_equal(usage_parse_single("max\n", &value), 0);
	assert_true(value == USAGE_UNKNOWN);
	value = 1;
	assert_int_equal(usage_parse_single("", &value), -EINVAL);
	assert_int_equal(usage_parse_single("1\n2\n", &value), -EINVAL);
	assert_int_equal(usage_parse_single("-1\n", &value), -EINVAL);
	assert_int_equal(usage_parse_single("1 2\n", &value), -EINVAL);

	assert_int_equal(usage_parse_flat("usage_usec 12\nuser_usec 3\n", "user_usec", &value), 0);
	assert_int_equal(value, 3);
	assert_int_equal(usage_parse_flat("usage_usec_x 12\nusage_usec 5\n", "usage_usec", &value),
			 0);
	assert_int_equal(value, 5);
	assert_int_equal(usage_parse_flat("usage_usec\n", "usage_usec", &value), -EINVAL);
	assert_int_equal(usage_parse_flat("a 1\n", "usage_usec", &value), -EINVAL);
	assert_int_equal(usage_parse_flat("", "usage_usec", &value), -EINVAL);

	assert_int_equal(
		usage_parse_nested("8:0 rbytes=5 wbytes=7 rios=1\n8:16 rbytes=10 dbytes=1\n",
				   "rbytes", &value),
		0);
	assert_int_equal(value, 15);
	/* A device that nothing was done with has a line without numbers. */
	assert_int_equal(usage_parse_nested("8:0\n", "rbytes", &value), 0);
	assert_int_equal(value, 0);
	assert_int_equal(usage_parse_nested("8:0 rbytes=x\n", "rbytes", &value), -EINVAL);
	assert_int_equal(usage_parse_nested("8:0 rbytes=18446744073709551615 xrbytes=1 rbytes=2\n",
					    "rbytes", &value),
			 0);
	assert_true(value == UINT64_MAX);
}

static void bytes_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *shown;
	} rows[] = {
		{ 0, "0" },
		{ 1023, "1023" },
		{ 1024, "1.0K" },
		{ 10240, "10K" },
		{ 1023 * 1024, "0.9M" },
		{ 999 * 1024, "999K" },
		{ UINT64_C(1536) << 20, "1.5G" },
		{ UINT64_MAX, "16E" },
		{ UINT64_MAX - 1, "16E" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *shown = usage_show_bytes(rows[i].bytes);

		if (rows[i].bytes < UINT64_MAX - 1)
			assert_string_equal(shown, rows[i].shown);
		assert_true(strlen(shown) <= 5);
	}
}

static size_t below(const struct process *v, size_t n, pid_t ancestor, bool found[])
{
	struct processes p = { .v = (struct process *)v, .n = n, .complete = true };
	_cleanup_free_ size_t *indexes = NULL;
	size_t count = processes_below(&p, ancestor, &indexes);

	for (size_t i = 0; i < count; i++) {
		assert_true(indexes[i] < n);
		found[indexes[i]] = true;
	}
	return count;
}

static void descendants(void **state)
{
	static const struct process tree[] = {
		{ .pid = 1, .parent = 0 }, { .pid = 9, .parent = 7 }, { .pid = 5, .parent = 1 },
		{ .pid = 7, .parent = 5 }, { .pid = 6, .parent = 1 }, { .pid = 8, .parent = 6 },
	};
	bool found[ARRAY_SIZE(tree)] = { false };

	(void)state;
	assert_int_equal(below(tree, ARRAY_SIZE(tree), 5, found), 3);
	assert_true(found[1] && found[2] && found[3]);
	assert_int_equal(below(tree, ARRAY_SIZE(tree), 4, found), 0);
	assert_int_equal(below(tree, 0, 1, found), 0);
	assert_int_equal(below(tree, ARRAY_SIZE(tree), 1, found), ARRAY_SIZE(tree));
}

/* Numbers were given to others while the list was read: it ends all the same. */
static void descendants_in_a_circle(void **state)
{
	static const struct process circle[] = {
		{ .pid = 2, .parent = 4 },
		{ .pid = 3, .parent = 2 },
		{ .pid = 4, .parent = 3 },
		{ .pid = 4, .parent = 4 },
	};
	bool found[ARRAY_SIZE(circle)] = { false };

	(void)state;
	assert_true(below(circle, ARRAY_SIZE(circle), 2, found) <= ARRAY_SIZE(circle));
	assert_true(found[0] && found[1] && found[2]);
}

static void cpu_share(void **state)
{
	struct usage before = { .cgroup = true, .cpu_us = 1000000 }, now = before;

	(void)state;
	now.cpu_us = 1500000;
	assert_true(usage_cpu_percent(&before, &now, 1000000) == 50.0);
	assert_true(usage_cpu_percent(&now, &before, 1000000) == 0.0);
	assert_true(usage_cpu_percent(&before, &now, 0) == 0.0);
	now.cgroup = false; /* other figures */
	assert_true(usage_cpu_percent(&before, &now, 1000000) == 0.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes),
		cmocka_unit_test(names_of_programs),
		cmocka_unit_test(sums_do_not_wrap),
		cmocka_unit_test(memory),
		cmocka_unit_test(network),
		cmocka_unit_test(cgroup_files),
		cmocka_unit_test(bytes_for_people),
		cmocka_unit_test(descendants),
		cmocka_unit_test(descendants_in_a_circle),
		cmocka_unit_test(cpu_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
