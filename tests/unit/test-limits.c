/* plan/plan-limits and the keys of [Limits]: what is limited, what can be enforced, and what is
 * refused. */

#include "plan/plan-limits.h"

#include "sample.h"
#include "unit.h"

#define MIB (UINT64_C(1) << 20)

#define APP "[App]\nCommand=true\n"

static int plan_it(const char *limits, const struct host_facts *host, struct plan **ret,
		   struct error **err)
{
	_cleanup_free_ char *text = xasprintf(APP "[Limits]\n%s", limits);

	return sample_plan(text, "sample", &as_profile, host, &sample_inputs, ret, err);
}

static void test_all_boxes_are_limited(void **state)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(plan_it("", &sample_host, &p, &error), error);
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		const struct limits *l = &p->boxes[k].limits;

		assert_true(p->has_box[k]);
		assert_true(l->memory > 0 && l->tasks > 0);
		assert_int_equal(l->open_files_soft, 1024);
		assert_int_equal(l->open_files, 4096);
		assert_true(l->cpu == 0 && l->io == 0);
	}
	assert_int_equal(p->boxes[BOX_APP].limits.memory, 4096 * MIB);
	assert_int_equal(p->boxes[BOX_APP].limits.tasks, 1024);
	assert_int_equal(p->limits.way, CGROUP_SYSTEMD);
	assert_int_equal(p->limits.enforced, 1U << LIMIT_MEMORY | 1U << LIMIT_TASKS);
	assert_int_equal(p->limits.missing, 0);
}

static void test_what_the_profile_says(void **state)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct error *error = NULL;
	const struct limits *l;

	(void)state;
	assert_done(plan_it("Memory=100M\nTasks=50\nCpu=150%\nIo=3M\nOpenFiles=256\n", &sample_host,
			    &p, &error),
		    error);
	l = &p->boxes[BOX_APP].limits;
	assert_int_equal(l->memory, 100 * MIB);
	assert_int_equal(l->tasks, 50);
	assert_int_equal(l->cpu, 150);
	assert_int_equal(l->io, 3 * MIB);
	assert_int_equal(l->open_files, 256);
	assert_int_equal(l->open_files_soft, 256);
	assert_int_equal(p->limits.enforced, LIMITS_ALL);
	/* The application's, not those of the parts that show it. */
	assert_int_equal(p->boxes[BOX_DISPLAY].limits.cpu, 0);
	assert_int_not_equal(p->boxes[BOX_VIEWER].limits.tasks, 50);
}

static void test_not_more_than_the_machine(void **state)
{
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct host_facts host = sample_host;
	struct error *error = NULL;

	(void)state;
	host.memory = 1024 * MIB;
	host.open_files = 2000;
	assert_done(plan_it("", &host, &p, &error), error);
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		assert_int_equal(p->boxes[k].limits.memory, 768 * MIB);
		assert_int_equal(p->boxes[k].limits.open_files, 2000);
	}
}

static void test_what_is_missing(void **state)
{
	static const struct {
		enum cgroup_way way;
		unsigned can;
		const char *asked;
		unsigned enforced, missing;
		const char *why;
	} rows[] = {
		{ CGROUP_NONE, 0, "", 0, 1U << LIMIT_MEMORY | 1U << LIMIT_TASKS,
		  "memory, tasks cannot be enforced: nobody" },
		/* What nobody has given, nobody has. */
		{ CGROUP_NONE, LIMITS_ALL, "", 0, 1U << LIMIT_MEMORY | 1U << LIMIT_TASKS,
		  "nobody" },
		{ CGROUP_SYSTEMD, 1U << LIMIT_MEMORY | 1U << LIMIT_TASKS, "Io=1M\n",
		  1U << LIMIT_MEMORY | 1U << LIMIT_TASKS, 1U << LIMIT_IO,
		  "io cannot be enforced: your service manager" },
		{ CGROUP_DELEGATED, 1U << LIMIT_TASKS | 1U << LIMIT_CPU, "Cpu=1%\n",
		  1U << LIMIT_TASKS | 1U << LIMIT_CPU, 1U << LIMIT_MEMORY,
		  "memory cannot be enforced: your control group" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(plan_freep) struct plan *p = NULL, *none = NULL;
		_cleanup_free_ char *required = xasprintf("%sRequired=yes\n", rows[i].asked);
		struct host_facts host = sample_host;
		struct error *error = NULL;

		host.cgroup_way = rows[i].way;
		host.controllers = rows[i].can;
		assert_done(plan_it(rows[i].asked, &host, &p, &error), error);
		assert_int_equal(p->limits.enforced, rows[i].enforced);
		assert_int_equal(p->limits.missing, rows[i].missing);
		assert_int_equal(p->limits.way, rows[i].enforced ? rows[i].way : CGROUP_NONE);
		assert_refused(plan_it(required, &host, &none, &error), error, EOPNOTSUPP,
			       rows[i].why);
		assert_null(none);
	}
}

/* Only once a scope is there it is known what it has. */
static void test_narrow(void **state)
{
	static const char text[] = APP "[Limits]\nIo=1M\nRequired=yes\n";
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(plan_freep) struct plan *p = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(profile_read(text, strlen(text), "x", "x", &profile, &error), error);
	assert_done(plan_it("Io=1M\n", &sample_host, &p, &error), error);
	assert_done(plan_limits_narrow(p, profile, LIMITS_ALL, "reason", &error), error);
	assert_refused(plan_limits_narrow(p, profile, ~(1U << LIMIT_IO), "reason", &error), error,
		       EOPNOTSUPP, "io cannot be enforced: reason");
	profile->limits_required = false;
	assert_done(plan_limits_narrow(p, profile, 0, "reason", &error), error);
	assert_int_equal(p->limits.way, CGROUP_NONE);
	assert_int_equal(p->limits.enforced, 0);
	assert_int_equal(p->limits.missing,
			 1U << LIMIT_MEMORY | 1U << LIMIT_TASKS | 1U << LIMIT_IO);
}

static void test_bad_values(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "Cpu=150", "share of one processor" },
		{ "Cpu=%", "share" },
		{ "Cpu=0%", "1%" },
		{ "Cpu=102401%", "102400%" },
		{ "Cpu=1 %", "share" },
		{ "Cpu=-1%", "share" },
		{ "Memory=1M", "64M" },
		{ "Memory=0", "64M" },
		{ "Tasks=31", "32" },
		{ "Io=1023K", "1M" },
		{ "OpenFiles=255", "256" },
		{ "Required=1", "yes or no" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = xasprintf(APP "[Limits]\n%s\n", rows[i].line);
		struct profile *p = NULL;
		struct error *error = NULL;

		assert_refused(profile_read(text, strlen(text), "x", "x", &p, &error), error,
			       EINVAL, rows[i].why);
		assert_null(p);
	}
}

/* A limit that there is not cannot be written: 0 is none that could be read. */
static void test_written_profile(void **state)
{
	static const char with[] = APP "[Limits]\nCpu=25%\nIo=5M\n";
	_cleanup_(profile_freep) struct profile *p = NULL, *q = NULL, *again = NULL;
	_cleanup_free_ char *without = NULL, *written = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(profile_read(APP, strlen(APP), "x", "x", &p, &error), error);
	without = profile_write(p);
	assert_null(strstr(without, "Cpu="));
	assert_null(strstr(without, "Io="));
	assert_non_null(strstr(without, "\nMemory=4G\n"));
	assert_done(profile_read(with, strlen(with), "x", "x", &q, &error), error);
	written = profile_write(q);
	assert_done(profile_read(written, strlen(written), "x", "x", &again, &error), error);
	assert_int_equal(again->cpu, 25);
	assert_int_equal(again->io, 5 * MIB);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_boxes_are_limited),
		cmocka_unit_test(test_what_the_profile_says),
		cmocka_unit_test(test_not_more_than_the_machine),
		cmocka_unit_test(test_what_is_missing),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_written_profile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
