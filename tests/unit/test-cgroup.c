/* session/cgroup, delegation and scope: the text of the files, in a directory that looks like a
 * control group. What the kernel makes of it is tested on a real machine. */

#include "session/cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/strv.h"
#include "scratch.h"
#include "session/delegation.h"
#include "session/scope.h"
#include "unit.h"

static void assert_file(const struct scratch *s, const char *name, const char *wanted)
{
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;

	assert_done(fs_read(s->fd, name, 4096, &text, NULL, &error), error);
	assert_string_equal(text, wanted);
}

static void test_path_of_process(void **state)
{
	static const struct {
		const char *text, *path;
	} rows[] = {
		{ "0::/user.slice/a.scope\n", "/user.slice/a.scope" },
		{ "9:name=systemd:/x\n0::/\n", "/" },
		{ "0::/no-newline", "/no-newline" },
		{ "10::/x\n1:cpu:/y\n", NULL },
		{ "0::/../outside\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = cgroup_in_text(rows[i].text);

		if (rows[i].path)
			assert_string_equal(path, rows[i].path);
		else
			assert_null(path);
	}
}

static void test_controllers(void **state)
{
	static const struct {
		const char *text;
		unsigned set;
	} rows[] = {
		{ "cpuset cpu io memory hugetlb pids rdma\n", LIMITS_ALL },
		{ "cpuset memory pids\n", 1U << LIMIT_MEMORY | 1U << LIMIT_TASKS },
		{ "memoryx pid\n", 0 },
		{ "\n", 0 },
		{ "", 0 },
	};
	const struct scratch *s = *state;

	assert_int_equal(cgroup_controllers(s->fd, "absent"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		scratch_file(s, "controllers", rows[i].text, 0644);
		assert_int_equal(cgroup_controllers(s->fd, "controllers"), rows[i].set);
	}
}

/* The kernel answers with the names alone; this directory with what was written. */
static void test_enable(void **state)
{
	const struct scratch *s = *state;
	struct error *error = NULL;

	scratch_file(s, "cgroup.subtree_control", "cpu memory\n", 0644);
	assert_done(cgroup_enable(s->fd, 1U << LIMIT_CPU | 1U << LIMIT_MEMORY, &error), error);
	assert_file(s, "cgroup.subtree_control", "cpu memory\n");
	assert_refused(cgroup_enable(s->fd, LIMITS_ALL, &error), error, EIO, "+pids +io");
	assert_file(s, "cgroup.subtree_control", "+pids +io");
}

static void test_limits(void **state)
{
	static const char *const files[] = { "memory.max", "memory.swap.max", "pids.max", "cpu.max",
					     "io.max" };
	const struct limits l = { .memory = 64 << 20, .tasks = 100, .cpu = 150, .io = 7 };
	char *disks[] = { (char *)"8:0", NULL };
	const struct scratch *s = *state;
	struct error *error = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		scratch_file(s, files[i], "max\n", 0644);
	assert_done(cgroup_limit(s->fd, &l, LIMITS_ALL & ~(1U << LIMIT_CPU), disks, &error), error);
	assert_file(s, "memory.max", "67108864");
	assert_file(s, "memory.swap.max", "0");
	assert_file(s, "pids.max", "100");
	assert_file(s, "cpu.max", "max\n");
	assert_file(s, "io.max", "8:0 rbps=7 wbps=7");
	assert_done(cgroup_limit(s->fd, &l, 1U << LIMIT_CPU, disks, &error), error);
	assert_file(s, "cpu.max", "150000 100000");
}

/* Bytes that are no whole page are rounded by the kernel, and this directory does not. */
static void test_what_is_not_taken(void **state)
{
	const struct limits odd = { .memory = (64 << 20) + 1 }, tasks = { .tasks = 3 };
	const struct scratch *s = *state;
	struct error *error = NULL;

	scratch_file(s, "memory.max", "max\n", 0644);
	assert_refused(cgroup_limit(s->fd, &odd, LIMITS_ALL, NULL, &error), error, EIO,
		       "memory.max is '67108865'");
	assert_int_equal(unlinkat(s->fd, "pids.max", 0), 0);
	assert_refused(cgroup_limit(s->fd, &tasks, LIMITS_ALL, NULL, &error), error, ENOENT,
		       "pids.max");
	assert_done(cgroup_limit(s->fd, &tasks, 0, NULL, &error), error);
}

static void make_disk(int block, const char *name, const char *number, const char *size)
{
	struct error *error = NULL;
	struct scratch disk = { .fd = -EBADF };

	assert_done(fs_make_dir(block, name, 0755, &disk.fd, &error), error);
	scratch_file(&disk, "dev", number, 0644);
	scratch_file(&disk, "size", size, 0644);
	close_fd(disk.fd);
}

static void test_disks(void **state)
{
	const struct scratch *s = *state;
	_cleanup_strv_ char **disks = NULL;
	_cleanup_close_ int dir = -EBADF;
	struct error *error = NULL;

	assert_done(fs_make_dir(s->fd, "block", 0755, &dir, &error), error);
	make_disk(dir, "sda", "8:0\n", "1000\n");
	make_disk(dir, "sr0", "11:0\n", "0\n");
	make_disk(dir, "loop0", "7:0\n", "1000\n");
	make_disk(dir, "zram0", "252:0\n", "1000\n");
	assert_done(cgroup_disks(dir, &disks, &error), error);
	assert_int_equal(strv_length(disks), 1);
	assert_string_equal(disks[0], "8:0");
}

static void test_events(void **state)
{
	const struct scratch *s = *state;

	scratch_file(s, "events", "low 0\noom 3\noom_kill 12\noom_group_kill 1\n", 0644);
	assert_int_equal(cgroup_count(s->fd, "events", "oom_kill"), 12);
	assert_int_equal(cgroup_count(s->fd, "events", "oom"), 3);
	assert_int_equal(cgroup_count(s->fd, "events", "kill"), 0);
	assert_int_equal(cgroup_count(s->fd, "absent", "oom"), 0);
}

static void test_usable(void **state)
{
	const struct scratch *s = *state;
	unsigned set;

	scratch_file(s, "cgroup.controllers", "memory pids\n", 0444);
	scratch_file(s, "cgroup.procs", "", 0644);
	scratch_file(s, "cgroup.subtree_control", "", 0644);
	assert_true(delegation_is_usable(s->fd, &set));
	assert_int_equal(set, 1U << LIMIT_MEMORY | 1U << LIMIT_TASKS);
	scratch_file(s, "cgroup.procs", "1\n", 0644);
	assert_false(delegation_is_usable(s->fd, &set));
	scratch_file(s, "cgroup.procs", "", 0644);
	assert_int_equal(unlinkat(s->fd, "cgroup.subtree_control", 0), 0);
	assert_false(delegation_is_usable(s->fd, &set));
	scratch_file(s, "cgroup.subtree_control", "", 0644);
	assert_int_equal(unlinkat(s->fd, "cgroup.controllers", 0), 0);
	assert_false(delegation_is_usable(s->fd, &set));
}

/* A directory that is none is nowhere taken for a control group. */
static void test_no_cgroup(void **state)
{
	const struct scratch *s = *state;
	struct error *error = NULL;
	int fd = -EBADF;

	assert_true(cgroup_open(s->path, &fd, &error) < 0);
	error = error_free(error);
	assert_true(cgroup_open("/sys/fs/cgroup/../..", &fd, &error) < 0);
	error = error_free(error);
	assert_true(cgroup_open("/sys/fs/cgroupx", &fd, &error) < 0);
	error = error_free(error);
	assert_int_equal(fd, -EBADF);
}

static void test_unit_names(void **state)
{
	_cleanup_free_ char *plain = scope_name("xterm", 12), *dash = scope_name("a-b-c", 3);

	(void)state;
	assert_string_equal(plain, "app-vitrine-xterm-12.scope");
	assert_string_equal(dash, "app-vitrine-a\\x2db\\x2dc-3.scope");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_of_process),
		cmocka_unit_test(test_controllers),
		cmocka_unit_test(test_enable),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_what_is_not_taken),
		cmocka_unit_test(test_disks),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_usable),
		cmocka_unit_test(test_no_cgroup),
		cmocka_unit_test(test_unit_names),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
