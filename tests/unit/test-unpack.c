#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "image/unpack.h"

/* One entry; kind as in AE_IF*, or HARD for a hard link. */
#define HARD 0
#define TIME 1234567890

struct entry {
	unsigned kind;
	const char *name;
	const char *text; /* content, or target of a link */
	unsigned mode;
	const char *attribute; /* extended, with `value` */
	const char *value;
};

/* clang-format off */
#define DIRECTORY(n, ...)  { .kind = AE_IFDIR, .name = n, __VA_ARGS__ }
#define REGULAR(n, t, ...) { .kind = AE_IFREG, .name = n, .text = t, __VA_ARGS__ }
#define LINK(n, t)	   { .kind = AE_IFLNK, .name = n, .text = t }
#define HARD_LINK(n, t)	   { .kind = HARD, .name = n, .text = t }
#define SPECIAL(k, n)	   { .kind = k, .name = n }
#define WHITEOUT(n)	   { .kind = AE_IFCHR, .name = n }
#define WITH(a, v)	   .attribute = a, .value = v
#define HIDING(n)	   { .kind = AE_IFDIR, .name = n, WITH("user.overlay.opaque", "y") }
/* clang-format on */

static void write_entry(struct archive *a, const struct entry *e)
{
	struct archive_entry *ae = archive_entry_new();
	size_t n = e->kind == AE_IFREG && e->text ? strlen(e->text) : 0;

	archive_entry_set_pathname(ae, e->name);
	archive_entry_set_perm(ae, (__LA_MODE_T)(e->mode ? e->mode : 0755));
	archive_entry_set_mtime(ae, TIME, 0);
	archive_entry_set_uid(ae, 0);
	archive_entry_set_filetype(ae, e->kind == HARD ? AE_IFREG : e->kind);
	if (e->attribute)
		archive_entry_xattr_add_entry(ae, e->attribute, e->value, strlen(e->value));
	if (e->kind == AE_IFBLK)
		archive_entry_set_rdev(ae, makedev(8, 0));
	if (e->kind == HARD)
		archive_entry_set_hardlink(ae, e->text);
	else if (e->kind == AE_IFLNK)
		archive_entry_set_symlink(ae, e->text);
	else if (e->kind == AE_IFREG)
		archive_entry_set_size(ae, (int64_t)n);
	/* It warns of a name that is no UTF-8, and writes it. */
	assert_true(archive_write_header(a, ae) >= ARCHIVE_WARN);
	if (n)
		assert_int_equal(archive_write_data(a, e->text, n), n);
	archive_entry_free(ae);
}

/* An archive in memory, read from its start. */
static int make_packed(int filter, const struct entry *entries, size_t n)
{
	struct archive *a = archive_write_new();
	int fd = memfd_create("tar", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(archive_write_add_filter(a, filter), ARCHIVE_OK);
	archive_write_set_format_pax_restricted(a);
	assert_int_equal(archive_write_open_fd(a, fd), ARCHIVE_OK);
	for (size_t i = 0; i < n; i++)
		write_entry(a, &entries[i]);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int make_tar(const struct entry *entries, size_t n)
{
	return make_packed(ARCHIVE_FILTER_NONE, entries, n);
}

/* The header of a file that is one hole, as GNU tar writes it. */
struct gnu_header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[8], user[32], group[32], major[8], minor[8];
	char atime[12], ctime[12], offset[12], longnames[4], unused;
	char sparse[4][24], extended, real_size[12], padding[17];
};

_Static_assert(sizeof(struct gnu_header) == 512, "a block of a tar archive");

/* Files of these sizes, all holes. */
static int make_sparse_tar(const int64_t *sizes, size_t n)
{
	int fd = memfd_create("tar", MFD_CLOEXEC);

	for (size_t i = 0; i < n; i++) {
		struct gnu_header h = {
			.name = "a",
			.mode = "0000644",
			.uid = "0000000",
			.gid = "0000000",
			.size = "00000000000",
			.mtime = "00000000000",
			.type = 'S',
			.magic = "ustar  ",
		};
		unsigned sum = 0;

		h.name[0] = (char)('a' + i);
		snprintf(h.sparse[0], sizeof h.sparse[0], "%011o", 0);
		h.real_size[0] = (char)0x80; /* what follows is a binary number */
		for (size_t k = 0; k < 8; k++)
			h.real_size[11 - k] = (char)(sizes[i] >> (8 * k));
		snprintf(h.sparse[0] + 12, 12, "%011o", 0);
		memset(h.checksum, ' ', sizeof h.checksum);
		for (size_t k = 0; k < sizeof h; k++)
			sum += ((unsigned char *)&h)[k];
		snprintf(h.checksum, sizeof h.checksum, "%06o", sum);
		assert_int_equal(write(fd, &h, sizeof h), sizeof h);
	}
	assert_int_equal(ftruncate(fd, (off_t)(n + 2) * 512), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

struct place {
	char path[40];
	int outer; /* holds root/ and a file that nobody may touch */
	int root;
};

static const struct unpack_options whole = { .newest = EXTRACT_TIME_MAX };
static const struct unpack_options layer = { .layer = true, .newest = EXTRACT_TIME_MAX };
static const struct unpack_options packed = { .compressed = true, .newest = EXTRACT_TIME_MAX };

/* Where a file can have the attributes of overlayfs. */
static int set_up(void **state)
{
	struct place *p = xcalloc(1, sizeof *p);
	struct error *err = NULL;

	strcpy(p->path, "/var/tmp/test-unpack.XXXXXX");
	if (!mkdtemp(p->path) || fs_open_dir(AT_FDCWD, p->path, &p->outer, &err) < 0 ||
	    fs_make_dir(p->outer, "root", 0755, &p->root, &err) < 0 ||
	    fs_write(p->outer, "outside", "safe", 4, 0644, &err) < 0)
		return -1;
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;
	struct error *err = NULL;
	int r;

	close(p->root);
	close(p->outer);
	r = fs_remove_tree(AT_FDCWD, p->path, &err);
	error_free(err);
	free(p);
	return r;
}

static int unpack_as(const struct unpack_options *o, struct place *p, const struct entry *entries,
		     size_t n, struct unpack_stats *stats, struct error **err)
{
	int fd = make_tar(entries, n), r;

	r = unpack_tar(fd, p->root, o, NULL, NULL, stats, err);
	close(fd);
	return r;
}

static int unpack(struct place *p, const struct entry *entries, size_t n,
		  struct unpack_stats *stats, struct error **err)
{
	return unpack_as(&whole, p, entries, n, stats, err);
}

/* Nothing but root/ and the file is there, and that is as it was. */
static void assert_outside_untouched(struct place *p)
{
	struct error *err = NULL;
	_cleanup_free_ char *text = NULL;
	struct stat st;

	assert_int_equal(fs_read(p->outer, "outside", 100, &text, NULL, &err), 0);
	assert_string_equal(text, "safe");
	assert_int_equal(fstatat(p->outer, "outside", &st, 0), 0);
	assert_int_equal(st.st_nlink, 1);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(fstatat(p->outer, "evil", &st, 0), -1);
}

static void assert_refused_as(const struct unpack_options *o, struct place *p, const char *why,
			      const struct entry *entries, size_t n)
{
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	int r = unpack_as(o, p, entries, n, &stats, &err);

	if (r >= 0)
		fail_msg("'%s' expected, and it went well", why);
	assert_non_null(err);
	if (!strstr(err->message, why))
		fail_msg("'%s' expected in '%s'", why, err->message);
	assert_null(strchr(err->message, '\n'));
	assert_null(strchr(err->message, '\033'));
	assert_outside_untouched(p);
}

static void assert_refused(struct place *p, const char *why, const struct entry *entries, size_t n)
{
	assert_refused_as(&whole, p, why, entries, n);
}

struct hostile {
	const char *why; /* part of the message */
	struct entry entries[4];
};

static const struct hostile hostile[] = {
	{ "'..'", { REGULAR("../evil", "x") } },
	{ "'..'", { DIRECTORY("a"), REGULAR("a/../../evil", "x") } },
	{ "'..'", { DIRECTORY("..", .mode = 0700) } },
	{ "symbolic link", { LINK("a", ".."), REGULAR("a/evil", "x") } },
	{ "symbolic link", { DIRECTORY("b"), LINK("a", "b"), REGULAR("a/evil", "x") } },
	{ "already", { LINK("a", "../outside"), REGULAR("a", "evil") } },
	{ "'a'", { LINK("a", ".."), DIRECTORY("a", .mode = 0777) } },
	{ "'a/evil'", { LINK("a", ".."), DIRECTORY("a/evil") } },
	{ "already", { DIRECTORY("a"), LINK("a", ".."), REGULAR("a/evil", "x") } },
	{ "already", { REGULAR("a", "x"), REGULAR("a", "y") } },
	{ "no directory", { REGULAR("a", "x"), REGULAR("a/b", "y") } },
	{ "'..'", { HARD_LINK("a", "../outside") } },
	{ "absolute", { HARD_LINK("a", "/etc/passwd") } },
	{ "symbolic link", { LINK("a", ".."), HARD_LINK("b", "a/outside") } },
	{ "no file", { DIRECTORY("a"), HARD_LINK("b", "a") } },
	{ "no file", { HARD_LINK("b", "a") } },
	{ "already", { LINK("a", "../outside"), HARD_LINK("b", "a"), REGULAR("b", "evil") } },
	{ "must be a directory", { LINK("dev", "/tmp") } },
	{ "must be a directory", { DIRECTORY("var"), LINK("var/tmp", "/tmp") } },
	{ "must be a directory", { LINK("proc", "/proc") } },
	{ "must be a directory", { LINK("sys", "/sys") } },
	{ "must be a directory", { LINK("run", "/run") } },
	{ "must be a directory", { LINK("tmp", "/") } },
	{ "must be a directory", { LINK("home", "/home") } },
	{ "must be a directory", { LINK("root", "/root") } },
	{ "must be a directory", { LINK("var", "/var") } },
	{ "must be a directory", { LINK("etc", "/etc") } },
	{ "must be a directory", { REGULAR("a", "x"), HARD_LINK("dev", "a") } },
	{ "must be a directory", { LINK(".", "/tmp") } },
	{ "must be a directory", { LINK("./", "/tmp"), REGULAR("a", "x") } },
	{ "'proc'", { REGULAR("proc", "x") } },
	{ "\\x1b", { REGULAR("\033[2J\n/../evil", "x") } },
};

/* Of layers alone. A name with the prefix is a whiteout or nothing. */
static const struct hostile hostile_layers[] = {
	{ "no whiteout", { REGULAR(".wh.", "") } },
	{ "no whiteout", { REGULAR(".wh..", "") } },
	{ "no whiteout", { REGULAR(".wh...", "") } },
	{ "no whiteout", { REGULAR("a/.wh..", "") } },
	{ "no whiteout", { REGULAR(".wh..wh.plnk", "") } },
	{ "no whiteout", { REGULAR(".wh.a/b", "x") } },
	{ "no whiteout", { REGULAR("b/.wh.a/.wh.c", "") } },
	{ "empty file", { DIRECTORY(".wh.a") } },
	{ "empty file", { LINK(".wh.a", "..") } },
	{ "empty file", { LINK("a/.wh..wh..opq", "..") } },
	{ "empty file", { REGULAR(".wh.a", "x") } },
	{ "empty file", { REGULAR("a", "x"), HARD_LINK(".wh.b", "a") } },
	{ "no file", { REGULAR(".wh.a", ""), HARD_LINK("b", ".wh.a") } },
	{ "already", { REGULAR("a", "x"), REGULAR(".wh.a", "") } },
	{ "already", { REGULAR(".wh.a", ""), REGULAR("a", "x") } },
	{ "already", { REGULAR(".wh.a", ""), LINK("a", "..") } },
	{ "already", { WHITEOUT("a"), REGULAR(".wh.a", "") } },
	{ "already", { DIRECTORY("a"), WHITEOUT("a") } },
	{ "no directory", { WHITEOUT("a"), DIRECTORY("a") } },
	{ "no directory", { WHITEOUT("a"), REGULAR("a/b", "x") } },
	{ "no directory", { REGULAR("a", "x"), REGULAR("a/.wh..wh..opq", "") } },
	{ "already", { REGULAR("a/.wh.b", ""), REGULAR("a", "x") } },
	{ "symbolic link", { LINK("a", ".."), WHITEOUT("a/b"), WHITEOUT("a/outside") } },
	{ "symbolic link", { LINK("a", ".."), REGULAR("a/.wh..wh..opq", "") } },
	{ "'..'", { REGULAR("../.wh.outside", "") } },
	{ "'..'", { WHITEOUT("../outside") } },
	{ "hides all", { REGULAR(".wh..wh..opq", "") } },
	{ "hides all", { HIDING("./") } },
	{ "must be a directory", { REGULAR(".wh.proc", "") } },
	{ "must be a directory", { REGULAR("var/.wh.tmp", "") } },
	{ "must be a directory", { WHITEOUT("var") } },
	{ "must be a directory", { WHITEOUT("a"), HARD_LINK("etc", "a") } },
	{ "must be a directory", { DIRECTORY("var"), LINK("var/tmp", "/tmp") } },
	{ "must be a directory", { REGULAR("run", "x") } },
};

static void assert_all_refused(const struct unpack_options *o, const struct hostile *all,
			       size_t size)
{
	for (size_t i = 0; i < size; i++) {
		void *place;
		size_t n = 0;

		while (n < ARRAY_SIZE(all[i].entries) && all[i].entries[n].name)
			n++;
		assert_int_equal(set_up(&place), 0);
		assert_refused_as(o, place, all[i].why, all[i].entries, n);
		assert_int_equal(tear_down(&place), 0);
	}
}

static void test_hostile_archives(void **state)
{
	(void)state;
	assert_all_refused(&whole, hostile, ARRAY_SIZE(hostile));
}

static void test_hostile_layers(void **state)
{
	(void)state;
	assert_all_refused(&layer, hostile_layers, ARRAY_SIZE(hostile_layers));
}

static void test_absolute(void **state)
{
	struct place *p = *state;
	_cleanup_free_ char *name = xasprintf("%s/evil", p->path);
	const struct entry e = REGULAR(name, "x");

	assert_refused(p, "absolute", &e, 1);
}

static void test_long_component(void **state)
{
	char name[300];
	const struct entry e = REGULAR(name, "x");

	memset(name, 'a', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	assert_refused(*state, "too long", &e, 1);
}

static void test_deep(void **state)
{
	char name[2 * 200 + 1];
	const struct entry e = DIRECTORY(name);

	for (size_t i = 0; i < sizeof name - 1; i++)
		name[i] = i % 2 ? '/' : 'a';
	name[sizeof name - 1] = '\0';
	assert_refused(*state, "too deep", &e, 1);
}

/* More than a path may have, in parts that are fine. */
static void test_long_name(void **state)
{
	char name[21 * 201 + 1];
	const struct entry e = REGULAR(name, "x");

	memset(name, 'a', sizeof name - 1);
	for (size_t i = 200; i < sizeof name - 1; i += 201)
		name[i] = '/';
	name[sizeof name - 2] = 'b';
	name[sizeof name - 1] = '\0';
	assert_refused(*state, "too long", &e, 1);
}

static void assert_text(struct place *p, const char *name, const char *expected)
{
	_cleanup_free_ char *text = NULL;
	struct error *err = NULL;

	assert_int_equal(fs_read(p->root, name, 4096, &text, NULL, &err), 0);
	assert_string_equal(text, expected);
}

/* Odd, and none of our business: whoever shows a name escapes it. */
static void test_odd_names(void **state)
{
	/* clang-format off */
	static const char *const names[] = {
		"new\nline", "\033[2J", "\001\177", "no utf-8 \xff\xfe", " ", "-rf", "*", "\\", ".wh.a",
	};
	/* clang-format on */
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const struct entry e = REGULAR(names[i], names[i]);
		_cleanup_(error_freep) struct error *err = NULL;
		struct unpack_stats stats;

		assert_int_equal(unpack(p, &e, 1, &stats, &err), 0);
		assert_text(p, names[i], names[i]);
	}
}

static void test_too_large(void **state)
{
	static const int64_t terabyte[] = { 1LL << 40 };
	static const int64_t together[] = { 40LL << 30, 40LL << 30 };
	static const int64_t negative[] = { INT64_MIN };
	static const struct {
		const int64_t *sizes;
		size_t n;
	} cases[] = { { terabyte, 1 }, { together, 2 }, { negative, 1 } };
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		struct unpack_stats stats;
		int fd = make_sparse_tar(cases[i].sizes, cases[i].n);

		assert_true(unpack_tar(fd, p->root, &whole, NULL, NULL, &stats, &err) < 0);
		assert_true(unlinkat(p->root, "a", 0) == 0 || i != 1);
		close(fd);
	}
}

static void test_privileges_are_dropped(void **state)
{
	static const struct entry entries[] = {
		DIRECTORY("./", .mode = 02777),
		DIRECTORY("./etc/", .mode = 02550),
		REGULAR("./etc/shadow", "secret", .mode = 0040),
		REGULAR("./etc/su", "program", .mode = 06755),
		DIRECTORY("./tmp/", .mode = 01777),
		DIRECTORY("./dev/"),
		SPECIAL(AE_IFCHR, "./dev/null"),
		REGULAR("./dev/file", "x"),
		LINK("./dev/fd", "/proc/self/fd"),
		SPECIAL(AE_IFBLK, "./disk"),
		SPECIAL(AE_IFIFO, "./fifo"),
		LINK("./etc/mtab", "/proc/self/mounts"),
		HARD_LINK("./etc/also", "./etc/su"),
	};
	static const struct {
		const char *name;
		unsigned mode;
	} expected[] = {
		{ ".", S_IFDIR | 0755 },
		{ "etc", S_IFDIR | 0750 },
		{ "etc/shadow", S_IFREG | 0440 },
		{ "etc/su", S_IFREG | 0755 },
		{ "etc/also", S_IFREG | 0755 },
		{ "tmp", S_IFDIR | 01777 },
		{ "etc/mtab", S_IFLNK | 0777 },
		{ "dev", S_IFDIR | 0755 },
		{ "proc", S_IFDIR | 0755 },
		{ "var/tmp", S_IFDIR | 0755 },
		{ "dev/null", 0 },
		{ "dev/file", 0 },
		{ "dev/fd", 0 },
		{ "disk", 0 },
		{ "fifo", 0 },
	};
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	char target[64] = "";
	struct stat st;

	assert_int_equal(unpack(p, entries, ARRAY_SIZE(entries), &stats, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		int r = fstatat(p->root, expected[i].name, &st, AT_SYMLINK_NOFOLLOW);

		assert_int_equal(r, expected[i].mode ? 0 : -1);
		if (r == 0)
			assert_int_equal(st.st_mode, expected[i].mode);
		if (r == 0)
			assert_int_equal(st.st_uid, getuid());
	}
	assert_true(readlinkat(p->root, "etc/mtab", target, sizeof target - 1) > 0);
	assert_string_equal(target, "/proc/self/mounts");
	assert_int_equal(stats.entries, 7);
	assert_int_equal(stats.dropped, 5);
	assert_int_equal(stats.bytes, strlen("secretprogram"));
	assert_outside_untouched(p);
}

/* Caches in an image are good only as long as these are what they were. */
static void test_times_are_kept(void **state)
{
	static const struct entry entries[] = {
		DIRECTORY("a"),
		DIRECTORY("a/b"),
		REGULAR("a/b/c", "x"),
		LINK("a/b/d", "c"),
	};
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	struct stat st;

	assert_int_equal(unpack(p, entries, ARRAY_SIZE(entries), &stats, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		assert_int_equal(fstatat(p->root, entries[i].name, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mtime, TIME);
	}
}

static void test_holes_stay_holes(void **state)
{
	static const int64_t size = 1LL << 30;
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	struct stat st;
	int fd = make_sparse_tar(&size, 1);

	assert_int_equal(unpack_tar(fd, p->root, &whole, NULL, NULL, &stats, &err), 0);
	assert_int_equal(fstatat(p->root, "a", &st, 0), 0);
	assert_int_equal(st.st_size, size);
	assert_true(st.st_blocks < 1000);
	close(fd);
}

static void test_missing_parents_are_made(void **state)
{
	static const struct entry entries[] = { REGULAR("a/b/c", "x", .mode = 0600) };
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	struct stat st;

	assert_int_equal(unpack(p, entries, ARRAY_SIZE(entries), &stats, &err), 0);
	assert_int_equal(fstatat(p->root, "a/b", &st, 0), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0755);
}

/* Whoever sends the archive failed; that must not look like a hostile one. */
static void test_truncated(void **state)
{
	static const struct entry entries[] = { REGULAR("a", "some text") };
	static const off_t sizes[] = { 0, 512 + 4 };
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		struct unpack_stats stats;
		int fd = make_tar(entries, ARRAY_SIZE(entries));

		assert_int_equal(ftruncate(fd, sizes[i]), 0);
		assert_int_equal(unpack_tar(fd, p->root, &whole, NULL, NULL, &stats, &err),
				 -ENODATA);
		close(fd);
	}
}

static void test_garbage(void **state)
{
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	char noise[4096];
	int fd;

	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (char)(i * 31 + i / 7);
	assert_int_equal(fs_memfd("noise", noise, sizeof noise, &fd, &err), 0);
	assert_int_equal(unpack_tar(fd, p->root, &whole, NULL, NULL, &stats, &err), -EINVAL);
	close(fd);
}

/* A layer's whiteouts, in both spellings; nothing else of the kind comes along. */
static void test_whiteouts(void **state)
{
	static const struct entry entries[] = {
		WHITEOUT("gone"),
		WHITEOUT("usr/gone"),
		HARD_LINK("usr/gone-too", "gone"),
		REGULAR("usr/.wh.also", ""),
		HIDING("opaque"),
		REGULAR("hidden/.wh..wh..opq", ""),
		DIRECTORY("hidden", .mode = 0750),
		REGULAR("hidden/a", "x"),
		SPECIAL(AE_IFBLK, "disk"),
	};
	static const char *const whiteouts[] = { "gone", "usr/gone", "usr/gone-too", "usr/also" };
	static const char *const opaque[] = { "opaque", "hidden" };
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	char value[8] = "";
	struct stat st;

	assert_int_equal(unpack_as(&layer, p, entries, ARRAY_SIZE(entries), &stats, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(whiteouts); i++) {
		assert_int_equal(fstatat(p->root, whiteouts[i], &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_true(S_ISCHR(st.st_mode) && st.st_rdev == 0);
		assert_int_equal(st.st_nlink, 1);
		assert_int_equal(st.st_mtime, TIME);
	}
	for (size_t i = 0; i < ARRAY_SIZE(opaque); i++) {
		_cleanup_close_ int fd = openat(p->root, opaque[i], O_RDONLY | O_CLOEXEC);

		assert_int_equal(fgetxattr(fd, "user.overlay.opaque", value, sizeof value), 1);
		assert_string_equal(value, "y");
		assert_int_equal(fstat(fd, &st), 0);
		assert_int_equal(st.st_mtime, TIME);
	}
	assert_int_equal(st.st_mode, S_IFDIR | 0750);
	assert_int_equal(stats.entries, 8);
	assert_int_equal(stats.dropped, 1);
	assert_int_equal(fstatat(p->root, "proc", &st, 0), -1); /* that is the base's */
	assert_int_equal(fstatat(p->root, "disk", &st, 0), -1);
}

/* umoci's word for a directory that has become something else. */
static void test_whiteouts_below_a_file(void **state)
{
	static const struct entry entries[] = {
		REGULAR("a", "x"),
		REGULAR("a/.wh.b", ""),
		LINK("b", ".."),
		REGULAR("b/.wh.outside", ""),
	};
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;

	assert_int_equal(unpack_as(&layer, p, entries, ARRAY_SIZE(entries), &stats, &err), 0);
	assert_int_equal(stats.entries, 2);
	assert_int_equal(stats.dropped, 2);
	assert_text(p, "a", "x");
	assert_outside_untouched(p);
}

/* In a whole root there is nothing to hide. */
static void test_no_whiteouts_in_a_root(void **state)
{
	static const struct entry entries[] = { WHITEOUT("gone"), HIDING("opaque") };
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	struct stat st;

	assert_int_equal(unpack(p, entries, ARRAY_SIZE(entries), &stats, &err), 0);
	assert_int_equal(fstatat(p->root, "gone", &st, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(stats.dropped, 1);
	{
		_cleanup_close_ int fd = openat(p->root, "opaque", O_RDONLY | O_CLOEXEC);

		assert_int_equal(flistxattr(fd, NULL, 0), 0);
	}
}

static void test_attributes_are_dropped(void **state)
{
	static const struct entry entries[] = {
		DIRECTORY("a", WITH("user.overlay.redirect", "/etc")),
		DIRECTORY("b", WITH("user.overlay.opaque", "x")),
		DIRECTORY("k", WITH("user.overlay.opaque", "yes")),
		DIRECTORY("c", WITH("trusted.overlay.opaque", "y")),
		DIRECTORY("d", WITH("user.overlay.origin", "x")),
		DIRECTORY("e", WITH("user.other", "x")),
		REGULAR("f", "x", WITH("user.overlay.opaque", "y")),
		REGULAR("g", "x", WITH("user.overlay.metacopy", "x")),
		REGULAR("h", "x", WITH("user.overlay.whiteout", "y")),
		REGULAR("i", "x", WITH("security.capability", "\x01\x02\x03")),
		REGULAR("j", "x", WITH("system.posix_acl_access", "x")),
	};
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;

	assert_int_equal(unpack_as(&layer, p, entries, ARRAY_SIZE(entries), &stats, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(entries); i++) {
		_cleanup_close_ int fd = openat(p->root, entries[i].name, O_RDONLY | O_CLOEXEC);

		assert_true(fd >= 0);
		assert_int_equal(flistxattr(fd, NULL, 0), 0);
	}
}

static void note_implied(void *user, const char *name)
{
	buf_addf(user, "%s\n", name);
}

/* What has an entry of its own, before or after, is not implied. */
static void test_implied(void **state)
{
	static const struct entry entries[] = {
		REGULAR("z/a", "x"),   DIRECTORY("a"),	 REGULAR("a/b/c", "x"),
		REGULAR("d/e/f", "x"), DIRECTORY("d/e"),
	};
	static const struct unpack_options o = {
		.layer = true,
		.newest = EXTRACT_TIME_MAX,
		.implied = note_implied,
	};
	struct place *p = *state;
	_cleanup_buf_ struct buf found = { 0 };
	struct unpack_stats stats;
	struct error *err = NULL;
	int fd = make_tar(entries, ARRAY_SIZE(entries));

	assert_int_equal(unpack_tar(fd, p->root, &o, NULL, &found, &stats, &err), 0);
	assert_string_equal(found.data, "a/b\nd\nz\n");
	close(fd);
}

static void test_empty_layer(void **state)
{
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;

	assert_int_equal(unpack_as(&layer, p, NULL, 0, &stats, &err), 0);
	assert_int_equal(stats.entries, 0);
}

/* The same archive makes the same tree at any time, and nothing in it is from the future. */
static void test_times(void **state)
{
	static const struct entry entries[] = { REGULAR("a/b/c", "x"), DIRECTORY("a/d"),
						LINK("l", "a") };
	static const struct {
		const char *name;
		int64_t time;
	} expected[] = {
		/* clang-format off */
		{ "a", 0 },
		{ "a/b", 0 },
		{ "a/b/c", TIME - 1 },
		{ "a/d", TIME - 1 },
		{ "l", TIME - 1 },
		{ "var", 0 },
		{ "var/tmp", 0 },
		/* clang-format on */
	};
	static const struct unpack_options earlier = { .newest = TIME - 1 };
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	struct stat st;

	assert_int_equal(unpack_as(&earlier, p, entries, ARRAY_SIZE(entries), &stats, &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		assert_int_equal(fstatat(p->root, expected[i].name, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_int_equal(st.st_mtim.tv_sec, expected[i].time);
		assert_int_equal(st.st_mtim.tv_nsec, 0);
	}
}

/* --- compressed ------------------------------------------------------------------------------- */

/* clang-format off */
static const int filters[] = {
	ARCHIVE_FILTER_NONE,
	ARCHIVE_FILTER_GZIP,
	ARCHIVE_FILTER_BZIP2,
	ARCHIVE_FILTER_XZ,
	ARCHIVE_FILTER_ZSTD,
};
/* clang-format on */

static void test_compressed(void **state)
{
	static const struct entry entries[] = { REGULAR("a", "text") };
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		int fd = make_packed(filters[i], entries, ARRAY_SIZE(entries));
		struct unpack_stats stats;
		void *place;

		assert_int_equal(set_up(&place), 0);
		assert_int_equal(unpack_tar(fd, ((struct place *)place)->root, &packed, NULL, NULL,
					    &stats, &err),
				 0);
		assert_text(place, "a", "text");
		assert_int_equal(tear_down(&place), 0);
		close(fd);
	}
}

/* It takes whoever asks for it: in what is no archive, or ends too early, nothing is found. */
static void test_compressed_refused(void **state)
{
	static const struct entry entries[] = { REGULAR("a", "text") };
	struct place *p = *state;

	for (size_t i = 1; i < ARRAY_SIZE(filters); i++) {
		_cleanup_(error_freep) struct error *not_asked = NULL, *short_one = NULL;
		int fd = make_packed(filters[i], entries, ARRAY_SIZE(entries));
		struct unpack_stats stats;

		assert_true(unpack_tar(fd, p->root, &whole, NULL, NULL, &stats, &not_asked) < 0);
		assert_int_equal(ftruncate(fd, 60), 0);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_true(unpack_tar(fd, p->root, &packed, NULL, NULL, &stats, &short_one) < 0);
		assert_non_null(strstr(short_one->message, "cannot read the archive"));
		close(fd);
	}
}

/* Zeros without end, in a file that is to be kept, or in one that is to be dropped. */
static void test_bomb(void **state)
{
	static const char *const names[] = { "a", "dev/a" };
	static const char zeros[1U << 20];
	static const unsigned megabytes = 400;
	struct place *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		struct archive *a = archive_write_new();
		struct archive_entry *e = archive_entry_new();
		int fd = memfd_create("tar", MFD_CLOEXEC);
		struct unpack_stats stats;

		archive_write_set_format_pax_restricted(a);
		archive_write_add_filter_zstd(a);
		archive_write_open_fd(a, fd);
		archive_entry_set_pathname(e, names[i]);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_set_size(e, (int64_t)megabytes << 20);
		assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
		for (unsigned k = 0; k < megabytes; k++)
			assert_int_equal(archive_write_data(a, zeros, sizeof zeros), sizeof zeros);
		archive_entry_free(e);
		archive_write_free(a);
		assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
		assert_int_equal(unpack_tar(fd, p->root, &packed, NULL, NULL, &stats, &err),
				 -EFBIG);
		close(fd);
	}
}

/* One more than there may be, of a kind that leaves nothing. */
static void test_million_entries(void **state)
{
	enum { AT_ONCE = 2048 };
	static const struct entry e = SPECIAL(AE_IFIFO, "fifo");
	struct place *p = *state;
	_cleanup_(error_freep) struct error *err = NULL;
	struct unpack_stats stats;
	char *many = xcalloc(AT_ONCE, 512);
	int one = make_tar(&e, 1), ends[2], status;
	pid_t child;

	for (size_t i = 0; i < AT_ONCE; i++)
		assert_int_equal(pread(one, many + i * 512, 512, 0), 512);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child = fork();
	if (child == 0) {
		close(ends[0]);
		while (write(ends[1], many, AT_ONCE * 512L) > 0)
			;
		_exit(0);
	}
	close(ends[1]);
	assert_int_equal(unpack_tar(ends[0], p->root, &whole, NULL, NULL, &stats, &err), -E2BIG);
	close(ends[0]);
	close(one);
	free(many);
	assert_int_equal(waitpid(child, &status, 0), child);
}

/* --- what is in it ---------------------------------------------------------------------------- */

static void test_recognise(void **state)
{
	static const struct {
		const char *name;
		const char *kind;
	} cases[] = {
		{ "./", NULL },
		{ "etc/", "tree" },
		{ "./usr/bin/sh", "tree" },
		{ "blobs", "oci" },
		{ "./oci-layout", "oci" },
		{ "index.json", "oci" },
		{ "manifest.json", "docker" },
		{ "manifest.json.old", "tree" },
		{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.json",
		  "docker" },
		{ "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef/layer.tar",
		  "docker" },
		{ "../manifest.json", NULL },
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct entry e = DIRECTORY(cases[i].name);
		int fd = make_packed(ARCHIVE_FILTER_GZIP, &e, 1);
		_cleanup_(error_freep) struct error *err = NULL;
		enum archive_kind kind;
		int r = unpack_recognise(fd, true, &kind, &err);

		assert_int_equal(r < 0, !cases[i].kind);
		if (r == 0)
			assert_string_equal(archive_kind_to_string(kind), cases[i].kind);
		close(fd);
	}
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hostile_archives),
		cmocka_unit_test(test_hostile_layers),
		TEST(test_absolute),
		TEST(test_long_component),
		TEST(test_deep),
		TEST(test_long_name),
		TEST(test_odd_names),
		TEST(test_too_large),
		TEST(test_privileges_are_dropped),
		TEST(test_times_are_kept),
		TEST(test_holes_stay_holes),
		TEST(test_missing_parents_are_made),
		TEST(test_truncated),
		TEST(test_garbage),
		TEST(test_whiteouts),
		TEST(test_whiteouts_below_a_file),
		TEST(test_no_whiteouts_in_a_root),
		TEST(test_attributes_are_dropped),
		TEST(test_implied),
		TEST(test_empty_layer),
		TEST(test_times),
		cmocka_unit_test(test_compressed),
		TEST(test_compressed_refused),
		TEST(test_bomb),
		TEST(test_million_entries),
		cmocka_unit_test(test_recognise),
	};

	setlocale(LC_CTYPE, "C.UTF-8"); /* as the program does */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
