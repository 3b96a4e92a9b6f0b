/* session/homes and session/prepared: what lies in the user's home, and whose it is. */

#include "session/homes.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/strv.h"
#include "box/lock.h"
#include "scratch.h"
#include "session/prepared.h"
#include "unit.h"

/* A home of the user's own for each test. */
static char *make_home(void **state)
{
	static unsigned n;
	const struct scratch *s = *state;
	_cleanup_free_ char *name = xasprintf("user.%u", n++);

	assert_int_equal(mkdirat(s->fd, name, 0700), 0);
	return xasprintf("%s/%s", s->path, name);
}

static uint32_t claim(const char *home, const char *profile)
{
	_cleanup_(home_release) struct home h = HOME_NONE;
	struct error *error = NULL;

	assert_done(home_claim(home, profile, "x-1234", &h, &error), error);
	return h.slice;
}

static int open_homes(const char *home)
{
	struct error *error = NULL;
	int fd;

	assert_done(homes_open(home, &fd, &error), error);
	return fd;
}

static void test_numbers_last(void **state)
{
	_cleanup_free_ char *home = make_home(state);

	assert_int_equal(claim(home, "a"), SLICE_COUNT - 1);
	assert_int_equal(claim(home, "b"), SLICE_COUNT - 2);
	assert_int_equal(claim(home, "a"), SLICE_COUNT - 1);
	assert_int_equal(claim(home, "c"), SLICE_COUNT - 3);
}

static void test_one_at_a_time(void **state)
{
	_cleanup_free_ char *home = make_home(state);
	_cleanup_(home_release) struct home h = HOME_NONE, other = HOME_NONE;
	_cleanup_(home_facts_release) struct home_facts f = { 0 };
	_cleanup_close_ int homes = -EBADF, lock = -EBADF;
	_cleanup_free_ char *condemned = NULL;
	struct error *error = NULL;

	assert_done(home_claim(home, "a", "a-12ab", &h, &error), error);
	assert_refused(home_claim(home, "a", "a-0000", &other, &error), error, EBUSY,
		       "the home 'a' is in use by the sandbox 'a-12ab': 'vitrine stop a-12ab'");
	homes = open_homes(home);
	assert_refused(home_condemn(homes, "a", &condemned, &lock, &error), error, EBUSY, "a-12ab");
	assert_done(home_look(homes, "a", &f, &error), error);
	assert_string_equal(f.running, "a-12ab");
	assert_false(f.damaged);
}

/* What is still being removed keeps its number. */
static void test_numbers_of_what_is_removed(void **state)
{
	_cleanup_free_ char *home = make_home(state), *condemned = NULL;
	_cleanup_strv_ char **names = NULL, **old = NULL;
	_cleanup_close_ int homes = -EBADF, lock = -EBADF, again = -EBADF;
	struct error *error = NULL;

	assert_int_equal(claim(home, "a"), SLICE_COUNT - 1);
	homes = open_homes(home);
	assert_done(home_condemn(homes, "a", &condemned, &lock, &error), error);
	assert_done(homes_list(homes, false, &names, &error), error);
	assert_null(names);
	assert_done(homes_list(homes, true, &old, &error), error);
	assert_string_equal(old[0], condemned);
	assert_int_equal(claim(home, "b"), SLICE_COUNT - 2);
	assert_int_equal(claim(home, "a"), SLICE_COUNT - 3);
	assert_refused(home_condemned_lock(homes, condemned, &again, &error), error, EBUSY,
		       "in use");
	lock = close_fd(lock);
	assert_done(home_condemned_lock(homes, condemned, &lock, &error), error);
	assert_done(home_forget(homes, condemned, &error), error);
	assert_int_equal(claim(home, "c"), SLICE_COUNT - 1);
}

static void put_slice(int homes, const char *name, const char *text)
{
	_cleanup_close_ int dir = -EBADF;
	struct error *error = NULL;

	assert_done(fs_open_dir(homes, name, &dir, &error), error);
	assert_done(fs_write(dir, "slice", text, strlen(text), 0600, &error), error);
}

static void test_damaged(void **state)
{
	static const char *const texts[] = { "",       "x\n",  "3071\n",
					     "4096\n", "-1\n", "40950000000000\n" };
	_cleanup_free_ char *home = make_home(state);
	_cleanup_close_ int homes = -EBADF;
	struct error *error = NULL;

	assert_int_equal(claim(home, "a"), SLICE_COUNT - 1);
	homes = open_homes(home);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		_cleanup_(home_facts_release) struct home_facts f = { 0 };
		_cleanup_(home_release) struct home h = HOME_NONE;

		put_slice(homes, "a", texts[i]);
		assert_true(home_claim(home, "a", "a-1234", &h, &error) < 0);
		error = error_free(error);
		/* Its number could be any, so nobody new gets one. */
		assert_true(home_claim(home, "new", "new-1234", &h, &error) < 0);
		assert_non_null(strstr(error->message, "home 'a' is damaged"));
		error = error_free(error);
		assert_done(home_look(homes, "a", &f, &error), error);
		assert_true(f.damaged);
	}
	/* Two with the same number. */
	put_slice(homes, "a", "4095\n");
	assert_int_equal(claim(home, "b"), SLICE_COUNT - 2);
	put_slice(homes, "b", "4095\n");
	{
		_cleanup_(home_release) struct home h = HOME_NONE;

		assert_refused(home_claim(home, "b", "b-1234", &h, &error), error, EUCLEAN,
			       "the same ids");
	}
}

static void test_no_home(void **state)
{
	_cleanup_free_ char *home = make_home(state);
	_cleanup_close_ int homes = -EBADF;
	struct home_facts f = { 0 };
	struct error *error = NULL;

	assert_refused(homes_open(home, &homes, &error), error, ENOENT, "homes");
	(void)claim(home, "xterm");
	homes = open_homes(home);
	assert_refused(home_look(homes, "xtrem", &f, &error), error, ENOENT,
		       "did you mean 'xterm'?");
	assert_refused(home_look(homes, "../x", &f, &error), error, ENOENT, "no home '../x'");
}

/* No other box ever runs with the ids of a home. */
static void test_slices_are_apart(void **state)
{
	const struct scratch *s = *state;
	_cleanup_close_ int lock = -EBADF, other = -EBADF;
	struct slice last = { 0 }, of_home = { 0 };
	struct error *error = NULL;
	uint32_t n = 0;

	assert_done(lock_open(s->fd, &lock, &error), error);
	assert_done(lock_open(s->fd, &other, &error), error);
	assert_done(slice_claim(other, SLICE_COUNT - 1, &of_home, &error), error);
	assert_int_equal(of_home.first, SLICE_FIRST + (SLICE_COUNT - 1) * SLICE_IDS);
	while (slice_take(lock, &last, &error) >= 0)
		assert_true(last.number == n++);
	error = error_free(error);
	assert_int_equal(n, SLICE_TAKEN);
	assert_refused(slice_claim(lock, SLICE_COUNT - 1, &last, &error), error, EBUSY, "in use");
}

static void save(const char *home, const char *content)
{
	_cleanup_(preparing_release) struct preparing p = PREPARING_NONE;
	_cleanup_free_ char *file = NULL;
	struct error *error = NULL;

	assert_done(prepared_begin(home, "a", &p, &error), error);
	assert_int_equal(mkdirat(p.dir, p.name, 0700), 0);
	file = xasprintf("%s/file", p.name);
	{
		_cleanup_close_ int fd = openat(p.dir, file, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

		assert_int_equal(write(fd, content, strlen(content)), strlen(content));
	}
	assert_done(prepared_commit(&p, &error), error);
}

static void test_prepared(void **state)
{
	_cleanup_free_ char *home = make_home(state), *path = NULL, *next = NULL, *text = NULL;
	_cleanup_close_ int fd = -EBADF, again = -EBADF;
	struct error *error = NULL;

	assert_refused(prepared_open(home, "a", &fd, &path, &error), error, ENOENT,
		       "'vitrine profile prepare a' makes it");
	save(home, "one");
	assert_done(prepared_open(home, "a", &fd, &path, &error), error);
	/* The first one stays as long as somebody copies it. */
	save(home, "two");
	assert_done(fs_read(fd, "file", 10, &text, NULL, &error), error);
	assert_string_equal(text, "one");
	assert_int_equal(faccessat(AT_FDCWD, path, F_OK, 0), 0);
	assert_done(prepared_open(home, "a", &again, &next, &error), error);
	assert_string_not_equal(path, next);
	fd = close_fd(fd);
	save(home, "three");
	assert_int_equal(faccessat(AT_FDCWD, path, F_OK, 0), -1);
	assert_int_equal(faccessat(AT_FDCWD, next, F_OK, 0), 0);
}

static void test_prepared_leads_nowhere_else(void **state)
{
	_cleanup_free_ char *home = make_home(state), *path = NULL;
	_cleanup_(preparing_release) struct preparing p = PREPARING_NONE;
	_cleanup_close_ int fd = -EBADF;
	struct error *error = NULL;

	assert_done(prepared_begin(home, "a", &p, &error), error);
	assert_int_equal(symlinkat("/etc", p.dir, "current"), 0);
	assert_refused(prepared_open(home, "a", &fd, &path, &error), error, EUCLEAN,
		       "cannot be found");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_last),
		cmocka_unit_test(test_one_at_a_time),
		cmocka_unit_test(test_numbers_of_what_is_removed),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_no_home),
		cmocka_unit_test(test_slices_are_apart),
		cmocka_unit_test(test_prepared),
		cmocka_unit_test(test_prepared_leads_nowhere_else),
	};

	return cmocka_run_group_tests_name("homes", tests, scratch_make, scratch_remove);
}
