/* box/walk: trees that somebody else changes as he likes. All that needs no rights of another id.
 */

#include "box/walk.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>

#include "app/changes.h"
#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "scratch.h"
#include "unit.h"

#define HOME "/home/ann"

static char **left_out;

static void on_left(void *user, const char *name, const char *why)
{
	(void)user;
	strv_addf(&left_out, "%s: %s", name, why);
}

static bool was_left_out(const char *line)
{
	return strv_contains(left_out, line);
}

/* A new directory of the test's. */
static int make_place(void **state)
{
	static unsigned n;
	const struct scratch *s = *state;
	_cleanup_free_ char *name = xasprintf("place.%u", n++);
	struct error *error = NULL;
	int fd;

	left_out = strv_free(left_out);
	assert_done(fs_make_dir(s->fd, name, 0700, &fd, &error), error);
	return fd;
}

static void put_file(int dir, const char *path, const char *content)
{
	_cleanup_close_ int fd = openat(dir, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, strlen(content)), strlen(content));
}

static void put_dir(int dir, const char *path)
{
	assert_int_equal(mkdirat(dir, path, 0755), 0);
}

/* Runs the order over `place`; the result is in a memory file. */
static int walk(struct walk_order *o, int place, int old, struct error **err)
{
	const int bases[WALK_BASES_MAX] = { place, -EBADF };
	int out = memfd_create("out", MFD_CLOEXEC), r;

	assert_true(out >= 0);
	r = walk_run(o, bases, old, out, on_left, NULL, err);
	assert_int_equal(lseek(out, 0, SEEK_SET), 0);
	if (r >= 0)
		return out;
	close_fd(out);
	return r;
}

static void read_changes(int fd, struct changes *ret)
{
	_cleanup_free_ char *data = NULL;
	struct error *error = NULL;
	size_t size;

	assert_done(fs_read_fd(fd, 1U << 20, &data, &size, &error), error);
	assert_done(changes_parse(data, size, ret, &error), error);
}

static char *show(const struct changes *c)
{
	_cleanup_buf_ struct buf text = { 0 };

	buf_adds(&text, "");
	for (size_t i = 0; i < c->n; i++)
		buf_addf(&text, "%c%c %s\n", c->list[i].kind, c->list[i].type, c->list[i].path);
	return buf_take(&text);
}

/* The changes of an order since `old`, as text. */
static char *changes_of(struct walk_order *o, int place, int old)
{
	_cleanup_(changes_release) struct changes c = { 0 };
	_cleanup_close_ int out = -EBADF;
	struct error *error = NULL;

	o->verb = WALK_CHANGES;
	out = walk(o, place, old, &error);
	assert_done(out, error);
	read_changes(out, &c);
	return show(&c);
}

static void set_now(struct walk_order *o)
{
	struct timespec now;
	const struct timespec tick = { .tv_nsec = 20000000 };

	nanosleep(&tick, NULL); /* files have the time of a tick */
	assert_int_equal(clock_gettime(CLOCK_REALTIME_COARSE, &now), 0);
	o->since_s = now.tv_sec;
	o->since_ns = (uint32_t)now.tv_nsec;
	nanosleep(&tick, NULL);
}

static void test_changes(void **state)
{
	_cleanup_(walk_order_release) struct walk_order o = { 0 };
	_cleanup_close_ int place = make_place(state), old = -EBADF;
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;
	struct timespec times[2];
	struct stat st;

	put_dir(place, "home");
	put_dir(place, "home/gone");
	put_file(place, "home/gone/a", "1");
	put_file(place, "home/same", "1");
	put_file(place, "home/longer", "1");
	put_file(place, "home/hidden", "1");
	put_file(place, "home/other", "1");
	put_dir(place, "home/was-dir");
	walk_order_add_root(&o, 0, "home", HOME, false);
	strv_add(&o.skip, HOME "/Files");
	o.verb = WALK_SNAPSHOT;
	set_now(&o);
	old = walk(&o, place, -EBADF, &error);
	assert_done(old, error);

	assert_int_equal(unlinkat(place, "home/gone/a", 0), 0);
	assert_int_equal(unlinkat(place, "home/gone", AT_REMOVEDIR), 0);
	put_file(place, "home/longer", "12");
	/* As it was, but for what nobody can set. */
	assert_int_equal(fstatat(place, "home/hidden", &st, 0), 0);
	put_file(place, "home/hidden", "2");
	times[0] = times[1] = st.st_mtim;
	assert_int_equal(utimensat(place, "home/hidden", times, 0), 0);
	assert_int_equal(unlinkat(place, "home/other", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", place, "home/other"), 0);
	assert_int_equal(unlinkat(place, "home/was-dir", AT_REMOVEDIR), 0);
	put_file(place, "home/was-dir", "");
	put_dir(place, "home/Files");
	put_dir(place, "home/new");
	put_file(place, "home/new/a\nb", "");
	put_file(place, "home/new.txt", "");
	assert_int_equal(mkfifoat(place, "home/fifo", 0600), 0);

	text = changes_of(&o, place, old);
	assert_string_equal(text, "co " HOME "/fifo\n"
				  "rd " HOME "/gone\n"
				  "mf " HOME "/hidden\n"
				  "mf " HOME "/longer\n"
				  "cd " HOME "/new\n"
				  "cf " HOME "/new/a\nb\n"
				  "cf " HOME "/new.txt\n"
				  "ml " HOME "/other\n"
				  "mf " HOME "/was-dir\n");
}

static void test_nothing_was_there(void **state)
{
	_cleanup_(walk_order_release) struct walk_order o = { 0 };
	_cleanup_close_ int place = make_place(state);
	_cleanup_free_ char *text = NULL, *none = NULL;

	put_dir(place, "home");
	put_file(place, "home/a", "");
	walk_order_add_root(&o, 0, "home", HOME, false);
	text = changes_of(&o, place, -EBADF);
	assert_string_equal(text, "cf " HOME "/a\n");
	walk_order_release(&o);

	walk_order_add_root(&o, 0, "nothing", HOME, false);
	none = changes_of(&o, place, -EBADF);
	assert_string_equal(none, "");
}

static void test_the_upper_layer(void **state)
{
	_cleanup_(walk_order_release) struct walk_order o = { 0 };
	_cleanup_close_ int place = make_place(state);
	_cleanup_free_ char *text = NULL;

	put_dir(place, "lower");
	put_dir(place, "lower/etc");
	put_file(place, "lower/etc/was", "");
	put_file(place, "lower/etc/changed", "");
	put_dir(place, "lower/opaque");
	put_dir(place, "lower/var");
	put_dir(place, "top");
	put_dir(place, "top/etc");
	assert_int_equal(mknodat(place, "top/etc/hidden", S_IFCHR, 0), 0);
	put_file(place, "lower/etc/hidden", "");
	put_dir(place, "upper");
	put_dir(place, "upper/etc");
	put_dir(place, "upper/var");
	put_dir(place, "upper/new");
	put_dir(place, "upper/opaque");
	put_file(place, "upper/etc/changed", "");
	put_file(place, "upper/etc/hidden", "");
	put_file(place, "upper/new/file", "");
	assert_int_equal(mknodat(place, "upper/etc/was", S_IFCHR, 0), 0);
	assert_int_equal(mknodat(place, "upper/etc/never", S_IFCHR, 0), 0);
	{
		_cleanup_close_ int fd = openat(place, "upper/opaque", O_RDONLY | O_CLOEXEC);

		assert_int_equal(fsetxattr(fd, "user.overlay.opaque", "y", 1, 0), 0);
	}

	walk_order_add_root(&o, 0, "upper", "/", true);
	strv_add(&o.lowers, "top");
	strv_add(&o.lowers, "lower");
	text = changes_of(&o, place, -EBADF);
	assert_string_equal(text, "mf /etc/changed\n"
				  "cf /etc/hidden\n"
				  "rf /etc/was\n"
				  "cd /new\n"
				  "cf /new/file\n"
				  "md /opaque\n");
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The names in a tar, sorted. */
static char *list_tar(int fd)
{
	_cleanup_free_ char *path = xasprintf("/proc/%d/fd/%d", getpid(), fd), *output = NULL;
	char *argv[] = { (char *)"/bin/tar", (char *)"-tf", path, (char *)"--quoting-style=escape",
			 NULL };
	const struct spawn s = { .argv = argv };
	_cleanup_strv_ char **names = NULL;
	struct error *error = NULL;
	char *state, *line;
	int status;

	assert_done(spawn_collect(&s, 1U << 20, &output, &status, &error), error);
	assert_int_equal(status, 0);
	for (line = strtok_r(output, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		strv_add(&names, line);
	qsort(names, strv_length(names), sizeof *names, by_name);
	return strv_join(names, "\n");
}

static void test_archive(void **state)
{
	_cleanup_(walk_order_release) struct walk_order o = {
		.verb = WALK_ARCHIVE,
		.bytes_max = 1000,
	};
	_cleanup_close_ int place = make_place(state), out = -EBADF, huge = -EBADF;
	static const char long_name[] =
		"a-name-that-does-not-fit-into-the-field-of-a-header-which-has-room-for-a-hundred-"
		"bytes-and-not-for-one-more";
	_cleanup_free_ char *list = NULL, *long_path = xasprintf("home/d/%s", long_name);
	_cleanup_free_ char *want = xasprintf(
		"kept/d/\nkept/d/%s\nkept/d/a\\nb\nkept/d/set\nsecond", long_name);
	struct error *error = NULL;

	put_dir(place, "home");
	put_dir(place, "home/d");
	put_file(place, "home/d/a\nb", "content");
	put_file(place, long_path, "");
	put_file(place, "home/d/set", "x");
	assert_int_equal(fchmodat(place, "home/d/set", 06755, 0), 0);
	put_file(place, "home/d/.wh.set", "x");
	put_file(place, "home/second", "x");
	assert_int_equal(symlinkat("/etc/passwd", place, "home/d/link"), 0);
	assert_int_equal(mkfifoat(place, "home/d/fifo", 0600), 0);
	assert_int_equal(mknodat(place, "home/d/gone", S_IFCHR, 0), 0);
	huge = openat(place, "home/d/huge", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	assert_int_equal(ftruncate(huge, 1LL << 40), 0);
	assert_int_equal(symlinkat("/etc", place, "home/out"), 0);

	walk_order_add_root(&o, 0, "home", HOME, false);
	walk_order_add_item(&o, 0, "d", "kept/d");
	walk_order_add_item(&o, 0, "second", "second");
	walk_order_add_item(&o, 0, "nothing", "nothing");
	walk_order_add_item(&o, 0, "out/passwd", "passwd");
	out = walk(&o, place, -EBADF, &error);
	assert_done(out, error);
	list = list_tar(out);
	assert_string_equal(list, want);
	assert_true(was_left_out("kept/d/link: a link"));
	assert_true(was_left_out("kept/d/fifo: a device, socket or FIFO"));
	assert_true(was_left_out("kept/d/gone: a device, socket or FIFO"));
	assert_true(was_left_out("kept/d/huge: too large"));
	assert_true(was_left_out("kept/d/.wh.set: the name has another meaning in an archive"));
	assert_true(was_left_out("nothing: it is not there"));
	assert_int_equal(strv_length(left_out), 7);
	left_out = strv_free(left_out);
}

/* A hundred directories in each other, three times, and more: deeper than what is walked. */
static void make_deep(int place, const char *name, unsigned depth)
{
	_cleanup_close_ int fd = fcntl(place, F_DUPFD_CLOEXEC, 3);

	for (unsigned i = 0; i < depth; i++) {
		int next;

		assert_int_equal(mkdirat(fd, i ? "d" : name, 0700), 0);
		next = openat(fd, i ? "d" : name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close_fd(fd);
		fd = next;
	}
	put_file(fd, "bottom", "x");
}

static void test_what_is_deep_is_left_out(void **state)
{
	_cleanup_(walk_order_release) struct walk_order o = {
		.verb = WALK_ARCHIVE,
		.bytes_max = 1000,
	};
	_cleanup_close_ int place = make_place(state), out = -EBADF;
	struct error *error = NULL;

	make_deep(place, "home", 400);
	walk_order_add_root(&o, 0, "home", HOME, false);
	walk_order_add_item(&o, 0, "", "kept/home");
	out = walk(&o, place, -EBADF, &error);
	assert_done(out, error);
	assert_int_equal(strv_length(left_out), 1);
	assert_non_null(strstr(left_out[0], ": nested too deeply"));
	left_out = strv_free(left_out);

	/* It can be removed all the same. */
	o.verb = WALK_REMOVE;
	close_fd(out);
	out = walk(&o, place, -EBADF, &error);
	assert_done(out, error);
	assert_int_equal(faccessat(place, "home", F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void test_removing_follows_no_link(void **state)
{
	_cleanup_(walk_order_release) struct walk_order o = { .verb = WALK_REMOVE };
	_cleanup_close_ int place = make_place(state), out = -EBADF;
	struct error *error = NULL;

	put_dir(place, "outside");
	put_file(place, "outside/file", "");
	put_dir(place, "home");
	put_dir(place, "home/closed");
	put_file(place, "home/closed/a", "");
	assert_int_equal(symlinkat("../outside", place, "home/link"), 0);
	assert_int_equal(symlinkat("outside", place, "top"), 0);
	walk_order_add_root(&o, 0, "home", "/", false);
	walk_order_add_root(&o, 0, "top", "/", false);
	walk_order_add_root(&o, 0, "top/file", "/", false);
	walk_order_add_root(&o, 0, "nothing/there", "/", false);
	out = walk(&o, place, -EBADF, &error);
	assert_done(out, error);
	assert_int_equal(faccessat(place, "home", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(place, "top", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(place, "outside/file", F_OK, 0), 0);
}

static void test_roots_are_beneath_their_base(void **state)
{
	static const char *const paths[] = { "..", "../place.0", "/etc", "link", "link/passwd" };
	_cleanup_close_ int place = make_place(state);

	assert_int_equal(symlinkat("/etc", place, "link"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		_cleanup_(walk_order_release) struct walk_order o = { 0 };
		_cleanup_free_ char *text = NULL;

		walk_order_add_root(&o, 0, paths[i], HOME, false);
		text = changes_of(&o, place, -EBADF);
		assert_string_equal(text, "");
	}
}

static void test_finding_the_root(void **state)
{
	_cleanup_(walk_order_release) struct walk_order o = { 0 };
	static const struct {
		const char *path;
		int root;
		const char *rest;
	} rows[] = {
		{ HOME, 0, "" },
		{ HOME "/a/b", 0, "a/b" },
		{ HOME "/notes", 1, "" },
		{ HOME "/notes/x", 1, "x" },
		{ HOME "/notesx", 0, "notesx" },
		{ HOME "y", -ENOENT, NULL },
		{ "/etc/passwd", -ENOENT, NULL },
	};
	const char *rest;

	(void)state;
	walk_order_add_root(&o, 0, "home", HOME, false);
	walk_order_add_root(&o, 0, "kept", HOME "/notes", false);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(walk_order_find(&o, rows[i].path, &rest), rows[i].root);
		if (rows[i].rest)
			assert_string_equal(rest, rows[i].rest);
	}
	walk_order_add_root(&o, 0, "upper", "/", true);
	assert_int_equal(walk_order_find(&o, "/etc/passwd", &rest), 2);
	assert_string_equal(rest, "etc/passwd");
	assert_int_equal(walk_order_find(&o, HOME "/a", &rest), 0);
}

static void test_order_round_trip(void **state)
{
	_cleanup_(walk_order_release) struct walk_order in = { .verb = WALK_ARCHIVE,
							       .supervisor = 7,
							       .since_s = -3,
							       .since_ns = 5,
							       .links = true,
							       .bytes_max = WALK_BYTES_MAX },
							out = { 0 };
	_cleanup_buf_ struct buf data = { 0 };
	struct error *error = NULL;

	(void)state;
	walk_order_add_root(&in, 1, "a/b", HOME, true);
	walk_order_add_item(&in, 0, "x", "kept/x");
	strv_add(&in.lowers, "/l");
	strv_add(&in.skip, "/s");
	walk_order_write(&in, &data);
	assert_done(walk_order_read(data.data, data.size, &out, &error), error);
	assert_string_equal(out.roots[0].path, "a/b");
	assert_true(out.roots[0].upper);
	assert_string_equal(out.items[0].name, "kept/x");
	assert_int_equal(out.since_s, -3);
	assert_int_equal(out.bytes_max, WALK_BYTES_MAX);
	assert_string_equal(out.skip[0], "/s");
	for (size_t size = 0; size < data.size; size++) {
		_cleanup_free_ char *part = xmalloc(size);

		memcpy(part, data.data, size);
		assert_true(walk_order_read(part, size, &(struct walk_order){ 0 }, &error) < 0);
		error = error_free(error);
	}
}

static void test_records(void **state)
{
	static const struct {
		const char *text;
		size_t size;
	} bad[] = {
		{ "", 0 },
		{ "c f 1 /a", 9 },
		{ "c f 1 /a\0end", 12 },
		{ "x f 1 /a\0end", 13 },
		{ "c x 1 /a\0end", 13 },
		{ "c f -1 /a\0end", 14 },
		{ "c f 1 a\0end", 12 },
		{ "c f 1 \0end", 11 },
		{ "cf", 3 },
		{ "end\0end", 8 },
	};
	struct error *error = NULL;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct changes c = { 0 };

		assert_refused(changes_parse(bad[i].text, bad[i].size, &c, &error), error, EPROTO,
			       "the list of changes");
	}
	{
		static const char whole[] = "c f 3 /d/x\0c f 0 /d.e\0c d 0 /d\0c f 4 /d/y\0more";
		_cleanup_(changes_release) struct changes c = { 0 };
		uint64_t bytes;

		assert_done(changes_parse(whole, sizeof whole, &c, &error), error);
		assert_true(c.more);
		assert_string_equal(c.list[0].path, "/d");
		assert_int_equal(changes_within(&c, 0, &bytes), 2);
		assert_int_equal(bytes, 7);
		assert_string_equal(c.list[3].path, "/d.e");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_nothing_was_there),
		cmocka_unit_test(test_the_upper_layer),
		cmocka_unit_test(test_archive),
		cmocka_unit_test(test_what_is_deep_is_left_out),
		cmocka_unit_test(test_removing_follows_no_link),
		cmocka_unit_test(test_roots_are_beneath_their_base),
		cmocka_unit_test(test_finding_the_root),
		cmocka_unit_test(test_order_round_trip),
		cmocka_unit_test(test_records),
	};

	return cmocka_run_group_tests_name("walk", tests, scratch_make, scratch_remove);
}
