/* profile/policy: which files are rules, and what keeps everything from starting. */

#include "profile/ceiling-load.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fs.h"
#include "base/strv.h"
#include "scratch.h"
#include "unit.h"

#define RULE	"[Network]\nMode=none\n"
#define REFUSED "nothing may start, for the administrator's policy cannot be used: "

static int load(const struct scratch *s, struct ceiling **ret, struct error **err)
{
	*ret = NULL;
	return ceiling_load_in(s->path, getuid(), ret, NULL, err);
}

/* An empty policy.d. */
static void begin(const struct scratch *s)
{
	_cleanup_(error_freep) struct error *error = NULL;

	assert_done(fs_remove_tree(s->fd, "policy.d", &error), error);
	assert_int_equal(mkdirat(s->fd, "policy.d", 0755), 0);
	assert_int_equal(fchmod(s->fd, 0755), 0);
}

static void rule(const struct scratch *s, const char *file, const char *text, mode_t mode)
{
	_cleanup_free_ char *path = xasprintf("policy.d/%s", file);
	int fd = openat(s->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void assert_nothing_starts(const struct scratch *s, int code, const char *part)
{
	struct ceiling *c = NULL;
	struct error *error = NULL;
	int r = load(s, &c, &error);

	assert_null(c);
	assert_non_null(error);
	assert_non_null(strstr(error->message, REFUSED));
	assert_null(strchr(error->message, '\n'));
	assert_refused(r, error, code, part);
}

static void test_no_directory_is_no_ceiling(void **state)
{
	const struct scratch *s = *state;
	_cleanup_(ceiling_freep) struct ceiling *c = NULL, *none = NULL;
	struct error *error = NULL;

	assert_done(load(s, &c, &error), error);
	assert_int_equal(ceiling_count(c), 0);
	assert_done(ceiling_load_in("/nonexistent/vitrine", 0, &none, NULL, &error), error);
	assert_int_equal(ceiling_count(none), 0);
}

static void test_rules_and_other_files(void **state)
{
	const struct scratch *s = *state;
	_cleanup_(ceiling_freep) struct ceiling *c = NULL;
	_cleanup_strv_ char **ignored = NULL;
	struct error *error = NULL;

	begin(s);
	rule(s, "10-net.conf", RULE, 0644);
	rule(s, "20-own.conf", RULE, 0600);
	rule(s, "10-net.conf.dpkg-old", "nonsense", 0644);
	rule(s, ".hidden.conf", "nonsense", 0644);
	rule(s, "README", "nonsense", 0666);
	assert_int_equal(symlinkat("/dev/null", s->fd, "policy.d/30-masked.conf"), 0);
	assert_done(ceiling_load_in(s->path, getuid(), &c, &ignored, &error), error);
	assert_int_equal(ceiling_count(c), 2);
	assert_int_equal(strv_length(ignored), 3);
}

static void test_invalid_rules(void **state)
{
	const struct scratch *s = *state;

	begin(s);
	rule(s, "a.conf", RULE, 0644);
	rule(s, "b.conf", "[Network]\nMode=everything\n", 0644);
	assert_nothing_starts(s, EINVAL, "policy.d/b.conf:2: Mode= must be");
	rule(s, "b.conf", "[Network]\nMode=none\nUnknown=\n", 0644);
	assert_nothing_starts(s, EINVAL, "policy.d/b.conf:3: unknown key");
	rule(s, "b.conf", "[App]\nIcon=x\n", 0644);
	assert_nothing_starts(s, ENOTSUP, "policy.d/b.conf:2: Icon= is not supported");
}

static void test_who_may_write(void **state)
{
	const struct scratch *s = *state;

	begin(s);
	rule(s, "a.conf", RULE, 0664);
	assert_nothing_starts(s, EPERM, "may be written by others (mode 0664)");
	rule(s, "a.conf", RULE, 0646);
	assert_nothing_starts(s, EPERM, "may be written by others (mode 0646)");
	rule(s, "a.conf", RULE, 0644);
	assert_int_equal(fchmodat(s->fd, "policy.d", 0775, 0), 0);
	assert_nothing_starts(s, EPERM, "policy.d' may be written by others");
	assert_int_equal(fchmodat(s->fd, "policy.d", 0755, 0), 0);
	assert_int_equal(fchmod(s->fd, 0777), 0);
	assert_nothing_starts(s, EPERM, "may be written by others (mode 0777)");
}

/* Files of this user are not root's. */
static void test_another_owner(void **state)
{
	const struct scratch *s = *state;
	struct ceiling *c = NULL;
	struct error *error = NULL;

	begin(s);
	rule(s, "a.conf", RULE, 0644);
	assert_refused(ceiling_load_in(s->path, getuid() + 1, &c, NULL, &error), error, EPERM,
		       "chown root it");
	assert_null(c);
}

static void test_what_is_no_file(void **state)
{
	const struct scratch *s = *state;

	begin(s);
	assert_int_equal(mkfifoat(s->fd, "policy.d/a.conf", 0600), 0);
	assert_nothing_starts(s, EINVAL, "'a.conf' is not a regular file");
	begin(s);
	assert_int_equal(symlinkat("/dev/zero", s->fd, "policy.d/a.conf"), 0);
	assert_nothing_starts(s, ELOOP, "'a.conf'");
	begin(s);
	rule(s, "real", RULE, 0644);
	assert_int_equal(symlinkat("real", s->fd, "policy.d/a.conf"), 0);
	assert_nothing_starts(s, ELOOP, "'a.conf'");
	begin(s);
	assert_int_equal(mkdirat(s->fd, "policy.d/a.conf", 0755), 0);
	assert_nothing_starts(s, EINVAL, "'a.conf' is not a regular file");
}

static void test_what_is_no_directory(void **state)
{
	const struct scratch *s = *state;
	_cleanup_(error_freep) struct error *error = NULL;

	begin(s);
	assert_int_equal(renameat(s->fd, "policy.d", s->fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", s->fd, "policy.d"), 0);
	assert_nothing_starts(s, ENOTDIR, "policy.d");
	assert_int_equal(unlinkat(s->fd, "policy.d", 0), 0);
	assert_int_equal(symlinkat("/dev/null", s->fd, "policy.d"), 0);
	assert_nothing_starts(s, ENOTDIR, "policy.d");
	assert_done(fs_remove_tree(s->fd, "elsewhere", &error), error);
}

static void test_too_much(void **state)
{
	const struct scratch *s = *state;
	int fd;

	begin(s);
	rule(s, "a.conf", "", 0644);
	fd = openat(s->fd, "policy.d/a.conf", O_WRONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)4 << 30), 0);
	close(fd);
	assert_nothing_starts(s, EFBIG, "policy.d/a.conf");
	begin(s);
	for (unsigned i = 0; i <= CEILING_RULES_MAX; i++) {
		_cleanup_free_ char *name = xasprintf("%u.conf", i);

		rule(s, name, RULE, 0644);
	}
	assert_nothing_starts(s, E2BIG, "more than 256 rules");
}

static void test_names_that_do_harm(void **state)
{
	const struct scratch *s = *state;

	begin(s);
	rule(s, "a\033[2J.conf", RULE, 0644);
	assert_nothing_starts(s, EINVAL, "a\\x1b[2J.conf' is not a name");
}

/* Root reads everything. */
static void test_what_cannot_be_read(void **state)
{
	const struct scratch *s = *state;

	if (getuid() == 0)
		return;
	begin(s);
	rule(s, "a.conf", RULE, 0);
	assert_nothing_starts(s, EACCES, "'a.conf'");
	assert_int_equal(fchmodat(s->fd, "policy.d", 0, 0), 0);
	assert_nothing_starts(s, EACCES, "policy.d");
	assert_int_equal(fchmodat(s->fd, "policy.d", 0755, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_directory_is_no_ceiling),
		cmocka_unit_test(test_rules_and_other_files),
		cmocka_unit_test(test_invalid_rules),
		cmocka_unit_test(test_who_may_write),
		cmocka_unit_test(test_another_owner),
		cmocka_unit_test(test_what_is_no_file),
		cmocka_unit_test(test_what_is_no_directory),
		cmocka_unit_test(test_too_much),
		cmocka_unit_test(test_names_that_do_harm),
		cmocka_unit_test(test_what_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
