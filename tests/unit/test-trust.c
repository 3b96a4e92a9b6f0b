/* app/trust: what must be confirmed, that very difference, and what the records stand. */

#include "app/trust.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "app/trust-record.h"
#include "base/fs.h"
#include "base/strv.h"
#include "profile/load.h"
#include "scratch.h"
#include "unit.h"

#define APP	"[App]\nCommand=x\n"
#define NETWORK "[Network]\nMode=private\n"
#define RECORD	".local/state/vitrine/trust/web"

/* In the scratch directory: shipped/ and own/, and it is the home. */
struct place {
	const struct scratch *s;
	char *dirs[3];
};

static int make_place(void **state)
{
	struct place *p = xcalloc(1, sizeof *p);
	void *scratch;

	if (scratch_make(&scratch) < 0)
		return -1;
	p->s = scratch;
	p->dirs[0] = xasprintf("%s/shipped", p->s->path);
	p->dirs[1] = xasprintf("%s/own", p->s->path);
	*state = p;
	return mkdir(p->dirs[0], 0755) | mkdir(p->dirs[1], 0755);
}

static int remove_place(void **state)
{
	struct place *p = *state;
	void *scratch = (void *)(uintptr_t)p->s;

	free(p->dirs[0]);
	free(p->dirs[1]);
	free(p);
	return scratch_remove(&scratch);
}

static void put(const struct place *p, const char *path, const char *text)
{
	_cleanup_free_ char *copy = xstrdup(path);
	struct error *error = NULL;
	char *slash = strrchr(copy, '/');
	int dir;

	*slash = '\0';
	(void)mkdirat(p->s->fd, copy, 0755);
	dir = openat(p->s->fd, copy, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir >= 0);
	assert_done(fs_write(dir, slash + 1, text, strlen(text), 0644, &error), error);
	close(dir);
}

static void look(const struct place *p, const char *name, struct trust *ret)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct error *error = NULL;

	assert_done(profile_load_in(p->dirs, name, &profile, &error), error);
	assert_done(trust_look(p->dirs, p->s->path, profile, ret, &error), error);
}

/* As at a start: it is checked, and remembered. */
static int start(const struct place *p, const char *name, struct error **err)
{
	_cleanup_(trust_release) struct trust t = { 0 };
	int r;

	look(p, name, &t);
	r = trust_check(&t, err);
	return r < 0 ? r : trust_remember(&t, p->s->path, err);
}

static void confirm(const struct place *p, const char *name)
{
	_cleanup_(trust_release) struct trust t = { 0 };
	struct error *error = NULL;

	look(p, name, &t);
	assert_true(trust_wants_own(&t) || trust_wants_update(&t));
	assert_done(trust_confirm(&t, p->s->path, &error), error);
}

#define assert_starts(p, name)                                \
	do {                                                  \
		struct error *_error = NULL;                  \
                                                              \
		assert_done(start(p, name, &_error), _error); \
	} while (0)
#define assert_held(p, name, part)                                            \
	do {                                                                  \
		struct error *_error = NULL;                                  \
                                                                              \
		assert_refused(start(p, name, &_error), _error, EPERM, part); \
	} while (0)

static void test_narrowing_needs_no_word(void **state)
{
	const struct place *p = *state;

	put(p, "shipped/web.vitrine", APP NETWORK);
	assert_starts(p, "web");
	put(p, "own/web.vitrine.d/a.conf", "[Network]\nMode=none\n[Limits]\nMemory=1G\n");
	assert_starts(p, "web");
	put(p, "own/web.vitrine", APP);
	assert_starts(p, "web");
}

static void test_a_profile_of_ones_own_needs_none(void **state)
{
	const struct place *p = *state;
	_cleanup_(trust_release) struct trust t = { 0 };

	put(p, "own/web.vitrine", APP NETWORK);
	assert_starts(p, "web");
	look(p, "web", &t);
	assert_null(t.name);
	assert_int_equal(faccessat(p->s->fd, RECORD, F_OK, 0), -1);
}

static void test_widening_is_confirmed_as_it_is(void **state)
{
	const struct place *p = *state;

	put(p, "shipped/web.vitrine", APP);
	put(p, "own/web.vitrine.d/a.conf", NETWORK);
	assert_held(p, "web", "'vitrine profile trust web'");
	confirm(p, "web");
	assert_starts(p, "web");
	/* The same in another place, and with more of what narrows. */
	put(p, "own/web.vitrine.d/a.conf", "# moved\n\n[Limits]\nMemory=1G\n" NETWORK);
	assert_starts(p, "web");
	/* Another one. */
	put(p, "own/web.vitrine.d/b.conf", "[Sound]\nPlayback=yes\n");
	assert_held(p, "web", "files of your own");
	confirm(p, "web");
	assert_starts(p, "web");
	/* And back: what was confirmed first is not what was confirmed last. */
	assert_int_equal(unlinkat(p->s->fd, "own/web.vitrine.d/b.conf", 0), 0);
	assert_held(p, "web", "files of your own");
}

/* A confirmed list in another order is the same list. */
static void test_the_order_of_lists_is_no_difference(void **state)
{
	const struct place *p = *state;

	put(p, "shipped/web.vitrine", APP);
	put(p, "own/web.vitrine.d/a.conf", "[Files]\nReadOnly=~/a\nReadOnly=~/b\n");
	confirm(p, "web");
	put(p, "own/web.vitrine.d/a.conf", "[Files]\nReadOnly=~/b\nReadOnly=~/a\n");
	assert_starts(p, "web");
	put(p, "own/web.vitrine.d/a.conf", "[Files]\nReadOnly=~/b\nReadOnly=~/c\n");
	assert_held(p, "web", "files of your own");
}

/* What the user's files do to what another profile inherits from. */
static void test_what_is_inherited(void **state)
{
	const struct place *p = *state;

	put(p, "shipped/base.vitrine", APP);
	put(p, "shipped/web.vitrine", "[Profile]\nInherit=base\n");
	put(p, "own/mine.vitrine", "[Profile]\nInherit=web\n" NETWORK);
	assert_starts(p, "mine");
	put(p, "own/base.vitrine.d/a.conf", "[Sound]\nPlayback=yes\n");
	assert_held(p, "web", "trust web");
	assert_held(p, "base", "trust base");
	assert_held(p, "mine", "trust web");
	confirm(p, "web");
	assert_starts(p, "mine");
	assert_starts(p, "web");
}

static void test_an_update_is_held_back(void **state)
{
	const struct place *p = *state;

	put(p, "shipped/web.vitrine", APP);
	assert_starts(p, "web");
	put(p, "shipped/web.vitrine", APP NETWORK);
	assert_held(p, "web", "was updated");
	assert_held(p, "web", "was updated"); /* still */
	confirm(p, "web");
	assert_starts(p, "web");
	/* What an update takes away is gone. */
	put(p, "shipped/web.vitrine", APP);
	assert_starts(p, "web");
	put(p, "shipped/web.vitrine", APP NETWORK);
	assert_held(p, "web", "was updated");
	/* But one that the user has narrowed anyway gives nothing. */
	put(p, "own/web.vitrine.d/a.conf", "[Network]\nMode=none\n");
	assert_starts(p, "web");
}

static void test_a_confirmation_outlives_an_update(void **state)
{
	const struct place *p = *state;

	put(p, "shipped/web.vitrine", APP);
	put(p, "own/web.vitrine.d/a.conf", NETWORK);
	confirm(p, "web");
	put(p, "shipped/web.vitrine", APP "[Limits]\nMemory=1G\n");
	assert_starts(p, "web");
	assert_starts(p, "web");
}

static void test_a_shipped_profile_that_cannot_be_read(void **state)
{
	const struct place *p = *state;

	put(p, "shipped/web.vitrine", "[App]\nComand=x\n");
	put(p, "own/web.vitrine", APP NETWORK);
	assert_held(p, "web", "files of your own");
	confirm(p, "web");
	assert_starts(p, "web");
	put(p, "shipped/web.vitrine", APP NETWORK);
	assert_held(p, "web", "was updated"); /* from one that allowed nothing */
	confirm(p, "web");
	assert_starts(p, "web");
}

static void test_records_that_are_not_the_users(void **state)
{
	const struct place *p = *state;
	static const char *const texts[] = {
		"",
		"x",
		"vitrine-trust 1 ",
		"vitrine-trust 1 -\n",
		"vitrine-trust 2 -\n" APP,
		"vitrine-trust 1 abc\n" APP,
		"vitrine-trust 1 -\n" APP "[Unknown]\n",
	};

	put(p, "shipped/web.vitrine", APP NETWORK);
	assert_starts(p, "web");
	assert_int_equal(fchmodat(p->s->fd, RECORD, 0622, 0), 0);
	assert_held(p, "web", "not yours alone");
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		put(p, RECORD, texts[i]);
		assert_held(p, "web", "cannot be read");
	}
	confirm(p, "web");
	assert_starts(p, "web");
	/* One of a directory, a FIFO, a link. */
	assert_int_equal(unlinkat(p->s->fd, RECORD, 0), 0);
	assert_int_equal(mkfifoat(p->s->fd, RECORD, 0600), 0);
	assert_held(p, "web", "cannot be read");
	assert_int_equal(unlinkat(p->s->fd, RECORD, 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", p->s->fd, RECORD), 0);
	assert_held(p, "web", "cannot be read");
	confirm(p, "web");
	assert_starts(p, "web");
}

static void test_who_may_read_a_record(void **state)
{
	const struct place *p = *state;
	struct stat st;

	put(p, "shipped/web.vitrine", APP);
	assert_starts(p, "web");
	assert_int_equal(fstatat(p->s->fd, RECORD, &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_list_and_forget(void **state)
{
	const struct place *p = *state;
	_cleanup_strv_ char **none = NULL, **one = NULL;
	struct error *error = NULL;

	assert_done(trust_list(p->s->path, &none, &error), error);
	assert_null(none);
	put(p, "shipped/web.vitrine", APP);
	assert_starts(p, "web");
	assert_done(trust_list(p->s->path, &one, &error), error);
	assert_int_equal(strv_length(one), 1);
	assert_string_equal(one[0], "web");
	assert_done(trust_forget(p->s->path, "web", &error), error);
	assert_refused(trust_forget(p->s->path, "web", &error), error, ENOENT, "no record");
	assert_refused(trust_forget(p->s->path, "../web", &error), error, EINVAL, "not a profile");
}

/* Killed at any moment, there is the old record or the new one. */
static void test_killed_writers(void **state)
{
	const struct place *p = *state;

	put(p, "shipped/web.vitrine", APP);
	put(p, "own/web.vitrine.d/a.conf", NETWORK);
	confirm(p, "web");
	for (unsigned i = 0; i < 60; i++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0) {
			_cleanup_(trust_release) struct trust t = { 0 };
			struct error *error = NULL;

			look(p, "web", &t);
			while (trust_confirm(&t, p->s->path, &error) >= 0)
				continue;
			_exit(1);
		}
		usleep(2000 + i * 137);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		assert_starts(p, "web");
	}
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)
	const struct CMUnitTest tests[] = {
		T(test_narrowing_needs_no_word),
		T(test_a_profile_of_ones_own_needs_none),
		T(test_widening_is_confirmed_as_it_is),
		T(test_the_order_of_lists_is_no_difference),
		T(test_what_is_inherited),
		T(test_an_update_is_held_back),
		T(test_a_confirmation_outlives_an_update),
		T(test_a_shipped_profile_that_cannot_be_read),
		T(test_records_that_are_not_the_users),
		T(test_who_may_read_a_record),
		T(test_list_and_forget),
		T(test_killed_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
