/* base/fs: links, FIFOs and limits, and replacing a file as a whole. */

#include "base/fs.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "scratch.h"
#include "unit.h"

static void test_write_and_read(void **state)
{
	const struct scratch *s = *state;
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;
	struct stat st;
	size_t size;

	assert_done(fs_write(s->fd, "file", "old", 3, 0600, &error), error);
	assert_done(fs_write(s->fd, "file", "n\0w", 3, 0640, &error), error);
	assert_done(fs_read(s->fd, "file", 3, &text, &size, &error), error);
	assert_int_equal(size, 3);
	assert_memory_equal(text, "n\0w", 4);
	assert_int_equal(fstatat(s->fd, "file", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
}

static void test_limit(void **state)
{
	const struct scratch *s = *state;
	char *text = NULL;
	struct error *error = NULL;

	scratch_file(s, "four", "1234", 0644);
	assert_refused(fs_read(s->fd, "four", 3, &text, NULL, &error), error, EFBIG, "3 bytes");
	assert_null(text);
}

static void test_what_is_no_regular_file(void **state)
{
	const struct scratch *s = *state;
	struct error *error = NULL;
	int fd = -EBADF;

	scratch_file(s, "target", "x", 0644);
	assert_int_equal(symlinkat("target", s->fd, "link"), 0);
	assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(s->fd, "dir", 0700), 0);
	assert_refused(fs_open_file(s->fd, "link", &fd, &error), error, ELOOP, "link");
	assert_refused(fs_open_file(s->fd, "fifo", &fd, &error), error, EINVAL, "regular");
	assert_refused(fs_open_file(s->fd, "dir", &fd, &error), error, EINVAL, "regular");
	assert_refused(fs_open_file(s->fd, "none", &fd, &error), error, ENOENT, "none");
	assert_refused(fs_open_dir(s->fd, "target", &fd, &error), error, ENOTDIR, "target");
	assert_int_equal(fd, -EBADF);
}

static void test_write_replaces_a_link(void **state)
{
	const struct scratch *s = *state;
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;

	scratch_file(s, "precious", "keep", 0644);
	assert_int_equal(symlinkat("precious", s->fd, "trap"), 0);
	assert_done(fs_write(s->fd, "trap", "new", 3, 0644, &error), error);
	assert_done(fs_read(s->fd, "precious", 99, &text, NULL, &error), error);
	assert_string_equal(text, "keep");
}

static void test_remove_tree_stays_inside(void **state)
{
	const struct scratch *s = *state;
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;
	_cleanup_close_ int deep = -EBADF, tree = -EBADF;

	scratch_file(s, "outside", "keep", 0644);
	assert_done(fs_make_dir(s->fd, "tree", 0700, &tree, &error), error);
	assert_done(fs_make_dir(tree, "deep", 0700, &deep, &error), error);
	assert_int_equal(symlinkat("../../outside", deep, "link"), 0);
	assert_int_equal(symlinkat("..", deep, "up"), 0);
	assert_done(fs_write(deep, "file", "x", 1, 0000, &error), error);
	assert_int_equal(fchmod(deep, 0000), 0);
	assert_done(fs_remove_tree(s->fd, "tree", &error), error);
	assert_int_equal(faccessat(s->fd, "tree", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_done(fs_read(s->fd, "outside", 99, &text, NULL, &error), error);
	assert_done(fs_remove_tree(s->fd, "tree", &error), error);
}

static void test_memfd_is_sealed(void **state)
{
	struct error *error = NULL;
	_cleanup_close_ int fd = -EBADF;

	(void)state;
	assert_done(fs_memfd("test", "abc", 3, &fd, &error), error);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_what_is_no_regular_file),
		cmocka_unit_test(test_write_replaces_a_link),
		cmocka_unit_test(test_remove_tree_stays_inside),
		cmocka_unit_test(test_memfd_is_sealed),
	};

	return cmocka_run_group_tests_name("fs", tests, scratch_make, scratch_remove);
}
