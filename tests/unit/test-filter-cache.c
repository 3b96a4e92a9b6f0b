/* session/filter: compiled policies are kept, and nothing that lies there is believed unseen. */

#include "session/filter.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "emit/filter.h"
#include "scratch.h"
#include "unit.h"

#include <dirent.h>

/* Counts how often it is started, beside it; then does what the real one does. */
static const char compiler[] = "#!/bin/sh\n"
			       "echo x >>'%s/count'\n"
			       "[ \"$(env | grep -cv '^PWD=\\|^SHLVL=\\|^_=')\" = 1 ] || exit 9\n"
			       "exec '%s/vitrine-filter'\n";

static struct filter_places places_in(const struct scratch *s)
{
	static char *policies;

	free(policies);
	policies = xasprintf("%s/../seccomp-policies", getenv("TESTDATA"));
	return (struct filter_places){ s->path, policies, s->path };
}

static void install(const struct scratch *s, const char *format)
{
	_cleanup_free_ char *text = xasprintf("%s", format);

	scratch_file(s, "vitrine-filter", text, 0755);
}

static void install_real(const struct scratch *s)
{
	_cleanup_free_ char *text = NULL, *build = xasprintf("%s/../..", getenv("FUZZ"));

	text = xasprintf(compiler, s->path, build);
	install(s, text);
}

static size_t count(const struct scratch *s)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *text = NULL;
	size_t size = 0;

	(void)fs_read(s->fd, "count", 1 << 20, &text, &size, &ignored);
	return size / 2;
}

static int open_profile(const struct scratch *s, const char *section, int *ret_fd,
			struct error **err)
{
	_cleanup_free_ char *text = xasprintf("[App]\nCommand=none\n[Seccomp]\n%s", section);
	_cleanup_(profile_freep) struct profile *p = NULL;
	const struct filter_places places = places_in(s);
	int r;

	r = profile_read(text, strlen(text), "f", "f", &p, err);
	return r < 0 ? r : filter_open(&places, p, ret_fd, err);
}

static char *digest_of(const struct scratch *s, const char *section)
{
	_cleanup_close_ int fd = -EBADF;
	struct error *error = NULL;
	char *digest;

	assert_done(open_profile(s, section, &fd, &error), error);
	assert_int_equal(filter_count(fd), 2);
	assert_done(sha256_fd(fd, &digest, NULL, &error), error);
	return digest;
}

/* The names in the cache. */
static char **cached(const struct scratch *s)
{
	_cleanup_free_ char *path = xasprintf("%s/" FILTER_CACHE, s->path);
	DIR *d = opendir(path);
	const struct dirent *e;
	char **names = NULL;

	while (d && (e = readdir(d)))
		if (*e->d_name != '.')
			strv_addf(&names, FILTER_CACHE "/%s", e->d_name);
	if (d)
		closedir(d);
	return names;
}

static void forget(const struct scratch *s)
{
	struct error *error = NULL;

	assert_done(fs_remove_tree(s->fd, ".cache", &error), error);
	assert_done(fs_remove_tree(s->fd, "count", &error), error);
}

static void test_kept(void **state)
{
	const struct scratch *s = *state;
	_cleanup_free_ char *first = NULL, *again = NULL, *other = NULL, *back = NULL;
	_cleanup_strv_ char **names = NULL;
	struct stat st;

	forget(s);
	install_real(s);
	first = digest_of(s, "Allow=modify_ldt\n");
	assert_int_equal(count(s), 1);
	again = digest_of(s, "Allow=modify_ldt\n");
	assert_int_equal(count(s), 1);
	assert_string_equal(first, again);
	other = digest_of(s, "Allow=@old-aio\n");
	assert_int_equal(count(s), 2);
	assert_string_not_equal(first, other);
	back = digest_of(s, "Allow=modify_ldt\n");
	assert_int_equal(count(s), 2);
	assert_string_equal(first, back);

	names = cached(s);
	assert_int_equal(strv_length(names), 2);
	assert_int_equal(fstatat(s->fd, names[0], &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(fstatat(s->fd, FILTER_CACHE, &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

/* A compiler that was replaced is another one. */
static void test_another_compiler(void **state)
{
	const struct scratch *s = *state;
	struct timespec times[2] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	_cleanup_free_ char *first = NULL, *again = NULL;

	forget(s);
	install_real(s);
	first = digest_of(s, "Allow=modify_ldt\n");
	assert_int_equal(utimensat(s->fd, "vitrine-filter", times, 0), 0);
	again = digest_of(s, "Allow=modify_ldt\n");
	assert_int_equal(count(s), 2);
}

static void write_over(const struct scratch *s, const char *name, const char *data, size_t size,
		       mode_t mode)
{
	_cleanup_close_ int fd = -EBADF;

	assert_int_equal(unlinkat(s->fd, name, 0), 0);
	fd = openat(s->fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(write(fd, data, size), size);
}

/* Whatever lies there instead: it is made again. */
static void test_damaged(void **state)
{
	const struct scratch *s = *state;
	_cleanup_free_ char *first = NULL, *good = NULL;
	_cleanup_strv_ char **names = NULL;
	struct error *error = NULL;
	size_t size, made = 1;

	forget(s);
	install_real(s);
	first = digest_of(s, "Allow=modify_ldt\n");
	names = cached(s);
	assert_int_equal(strv_length(names), 1);
	assert_done(fs_read(s->fd, names[0], 1 << 20, &good, &size, &error), error);

	for (size_t what = 0; what < 7; what++) {
		_cleanup_free_ char *bad = xmalloc(size + 1), *again = NULL;
		size_t n = size;
		mode_t mode = 0600;

		memcpy(bad, good, size);
		switch (what) {
		case 0: /* one bit */
			bad[size / 2] ^= 4;
			break;
		case 1: /* its end */
			n = size - 8;
			break;
		case 2: /* nothing */
			n = 0;
			break;
		case 3: /* the digest */
			bad[3] ^= 1;
			break;
		case 4: /* more */
			bad[n++] = 'x';
			break;
		case 5: /* others may write it */
			mode = 0622;
			break;
		case 6: /* a link */
			break;
		}
		write_over(s, names[0], bad, n, mode);
		if (what == 6) {
			assert_int_equal(renameat(s->fd, names[0], s->fd, "elsewhere"), 0);
			assert_int_equal(symlinkat("../../../elsewhere", s->fd, names[0]), 0);
		}
		again = digest_of(s, "Allow=modify_ldt\n");
		assert_int_equal(count(s), ++made);
		assert_string_equal(again, first);
	}
	(void)unlinkat(s->fd, "elsewhere", 0);
}

/* Where others may write nothing is kept, and nothing believed. */
static void test_open_directory(void **state)
{
	const struct scratch *s = *state;
	_cleanup_free_ char *first = NULL, *again = NULL;

	forget(s);
	install_real(s);
	first = digest_of(s, "Allow=modify_ldt\n");
	assert_int_equal(fchmodat(s->fd, FILTER_CACHE, 0777, 0), 0);
	again = digest_of(s, "Allow=modify_ldt\n");
	assert_int_equal(count(s), 2);
	assert_string_equal(first, again);
	assert_int_equal(fchmodat(s->fd, FILTER_CACHE, 0700, 0), 0);
}

static void test_bounded(void **state)
{
	const struct scratch *s = *state;
	_cleanup_strv_ char **names = NULL;

	forget(s);
	install_real(s);
	for (unsigned i = 0; i < FILTER_CACHE_MAX + 3; i++) {
		_cleanup_free_ char *section = xasprintf("Deny=kill arg0 eq %u\n", i),
				    *digest = digest_of(s, section);

		assert_non_null(digest);
	}
	names = cached(s);
	assert_int_equal(strv_length(names), FILTER_CACHE_MAX);
}

/* No filter, no start. */
static void test_refused(void **state)
{
	static const struct {
		const char *compiler, *section;
		int code;
		const char *message;
	} rows[] = {
		{ "#!/bin/sh\nexit 1\n", "Deny=kill\n", EIO, "failed without a word" },
		{ "#!/bin/sh\necho no >&2\nexit 1\n", "Deny=kill\n", EIO, "vitrine-filter: no" },
		{ "#!/bin/sh\nexit 0\n", "Deny=kill\n", EIO, "is not a filter" },
		{ "#!/bin/sh\necho filter\n", "Deny=kill\n", EIO, "is not a filter" },
		{ "#!/bin/sh\nkill -9 $$\n", "Deny=kill\n", EIO, "failed without a word" },
		{ "#!/bin/sh\nexit 0\n", "Allow=bpf\n", EPERM, "no application may have" },
		{ "#!/bin/sh\nexit 0\n", "Policy=gate\n", ENOENT, "no policy 'gate'" },
		{ "#!/bin/sh\nexit 0\n", "Policy=sets\n", ENOENT, "no policy 'sets'" },
		{ "#!/bin/sh\nexit 0\n", "Policy=brows\n", ENOENT, "is 'browser' meant?" },
		{ "#!/bin/sh\nexit 0\n", "Policy=media\n", ENOENT, "media.bpf" },
	};
	const struct scratch *s = *state;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_strv_ char **names = NULL;
		struct error *error = NULL;
		int fd = -EBADF;

		forget(s);
		install(s, rows[i].compiler);
		assert_refused(open_profile(s, rows[i].section, &fd, &error), error, rows[i].code,
			       rows[i].message);
		assert_int_equal(fd, -EBADF);
		names = cached(s);
		assert_null(names);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),	cmocka_unit_test(test_another_compiler),
		cmocka_unit_test(test_damaged), cmocka_unit_test(test_open_directory),
		cmocka_unit_test(test_bounded), cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests_name("filter-cache", tests, scratch_make, scratch_remove);
}
