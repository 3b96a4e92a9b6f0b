/* profile/load: which file is the profile, and which files are none. */

#include "profile/load.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/fs.h"
#include "base/strv.h"
#include "scratch.h"
#include "unit.h"

#define MINIMAL "[App]\nCommand=x\n"

struct place {
	struct scratch low, high; /* the second one is stronger */
	char *dirs[3];
};

static int make_place(void **state)
{
	struct place *p = xcalloc(1, sizeof *p);
	void *low, *high;

	if (scratch_make(&low) < 0 || scratch_make(&high) < 0)
		return -1;
	p->low = *(struct scratch *)low;
	p->high = *(struct scratch *)high;
	p->dirs[0] = p->low.path;
	p->dirs[1] = p->high.path;
	free(low);
	free(high);
	*state = p;
	return 0;
}

static int remove_place(void **state)
{
	struct place *p = *state;
	void *low = xmalloc(sizeof p->low), *high = xmalloc(sizeof p->high);

	memcpy(low, &p->low, sizeof p->low);
	memcpy(high, &p->high, sizeof p->high);
	free(p);
	return scratch_remove(&low) | scratch_remove(&high);
}

static int load(const struct place *p, const char *name, struct profile **ret, struct error **err)
{
	*ret = NULL;
	return profile_load_in(p->dirs, name, ret, err);
}

static void assert_image(const struct place *p, const char *name, const char *image)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct error *error = NULL;

	assert_done(load(p, name, &profile, &error), error);
	assert_string_equal(profile->image, image);
}

static void assert_not_loaded(const struct place *p, const char *name, int code, const char *part)
{
	struct profile *profile;
	struct error *error = NULL;

	assert_refused(load(p, name, &profile, &error), error, code, part);
	assert_null(profile);
}

static void test_the_last_directory_wins(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "app.vitrine", MINIMAL "Image=low\n", 0644);
	assert_image(p, "app", "low");
	scratch_file(&p->high, "app.vitrine", MINIMAL "Image=high\n", 0644);
	assert_image(p, "app", "high");
}

static void test_a_link_to_dev_null_masks(void **state)
{
	const struct place *p = *state;
	_cleanup_strv_ char **names = NULL;
	struct error *error = NULL;

	scratch_file(&p->low, "app.vitrine", MINIMAL, 0644);
	scratch_file(&p->low, "other.vitrine", MINIMAL, 0644);
	assert_int_equal(symlinkat("/dev/null", p->high.fd, "app.vitrine"), 0);
	assert_not_loaded(p, "app", ENOENT, "masked");
	assert_done(profile_list_in(p->dirs, &names, &error), error);
	assert_int_equal(strv_length(names), 1);
	assert_string_equal(names[0], "other");
}

static void test_aliases(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "firefox-esr.vitrine", MINIMAL "Alias=firefox\nImage=one\n", 0644);
	scratch_file(&p->low, "broken.vitrine", "nonsense", 0644);
	assert_image(p, "firefox", "one");
	/* The name of a profile is stronger than an alias. */
	scratch_file(&p->high, "firefox.vitrine", MINIMAL "Image=two\n", 0644);
	assert_image(p, "firefox", "two");
}

static void test_an_alias_of_two_is_of_none(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "a.vitrine", MINIMAL "Alias=web\n", 0644);
	scratch_file(&p->high, "b.vitrine", MINIMAL "Alias=web\n", 0644);
	assert_not_loaded(p, "web", EEXIST, "'a' and 'b'");
}

static void test_suggestions(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "firefox-esr.vitrine", MINIMAL "Alias=firefox\n", 0644);
	assert_not_loaded(p, "firefx", ENOENT,
			  "unknown profile 'firefx'; did you mean 'firefox-esr'?");
	assert_not_loaded(p, "gimp", ENOENT, "`vitrine profile list` shows all");
}

static void test_names_are_checked_first(void **state)
{
	static const char *const names[] = {
		"", ".", "..", "a/b", "../app", "/etc/passwd", "-rf", "App", "a\n", "\xc0\xaf",
	};
	const struct place *p = *state;

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_not_loaded(p, names[i], EINVAL, "is not a profile name");
}

static void test_files_that_are_no_profile(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "target", MINIMAL, 0644);
	scratch_file(&p->low, "world.vitrine", MINIMAL, 0646);
	assert_int_equal(symlinkat("target", p->low.fd, "link.vitrine"), 0);
	assert_int_equal(mkfifoat(p->low.fd, "fifo.vitrine", 0644), 0);
	assert_int_equal(mkdirat(p->low.fd, "dir.vitrine", 0755), 0);
	assert_not_loaded(p, "world", EPERM, "may be written by others (mode 0646)");
	assert_not_loaded(p, "link", ELOOP, "link.vitrine");
	assert_not_loaded(p, "fifo", EINVAL, "not a regular file");
	assert_not_loaded(p, "dir", EINVAL, "not a regular file");
}

/* An access control list in the kernel's form (linux/posix_acl_xattr.h). */
static void let_somebody_write(const char *path)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, permissions;
			uint32_t id;
		} entries[5];
	} list = { 2,
		   {
			   { 0x01, 6, UINT32_MAX },
			   { 0x02, 6, 12345 },
			   { 0x04, 6, UINT32_MAX },
			   { 0x10, 6, UINT32_MAX },
			   { 0x20, 4, UINT32_MAX },
		   } };

	assert_int_equal(setxattr(path, "system.posix_acl_access", &list, sizeof list, 0), 0);
}

/* With umask 0002, as Debian 13 sets it, whatever a user writes belongs to his private group. */
static void test_a_file_of_a_group(void **state)
{
	const struct place *p = *state;
	_cleanup_free_ char *path = xasprintf("%s/listed.vitrine", p->low.path);
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct error *error = NULL;

	scratch_file(&p->low, "group.vitrine", MINIMAL, 0664);
	assert_done(load(p, "group", &profile, &error), error);
	scratch_file(&p->low, "listed.vitrine", MINIMAL, 0664);
	let_somebody_write(path);
	assert_not_loaded(p, "listed", EPERM, "may be written by others (mode 0664)");
	if (getuid() != 0) /* nobody else can give a file to a group that he is not in */
		return;
	assert_int_equal(fchownat(p->low.fd, "group.vitrine", -1, 12345, 0), 0);
	assert_not_loaded(p, "group", EPERM, "may be written by others");
}

static void test_a_file_of_somebody_else(void **state)
{
	const struct place *p = *state;

	if (getuid() != 0) /* nobody else can give a file away */
		return;
	scratch_file(&p->low, "app.vitrine", MINIMAL, 0644);
	assert_int_equal(fchownat(p->low.fd, "app.vitrine", 12345, 0, 0), 0);
	assert_not_loaded(p, "app", EPERM, "belongs to user 12345");
}

static void test_a_directory_open_to_others(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "app.vitrine", MINIMAL, 0644);
	assert_int_equal(fchmod(p->low.fd, 0777), 0);
	assert_not_loaded(p, "app", EPERM, "may be written by others");
}

static void test_a_huge_file(void **state)
{
	const struct place *p = *state;
	_cleanup_free_ char *path = xasprintf("%s/app.vitrine", p->low.path);

	scratch_file(&p->low, "app.vitrine", "", 0644);
	assert_int_equal(truncate(path, INT64_C(4) << 30), 0);
	assert_not_loaded(p, "app", EFBIG, "larger than");
}

static void test_errors_name_file_and_line(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "app.vitrine", "[App]\nnonsense\n", 0644);
	assert_not_loaded(p, "app", EINVAL, "/app.vitrine:2: neither");
}

static void test_list(void **state)
{
	static const char *const ignored[] = { "README", ".vitrine", "Big.vitrine", "x.vitrine~" };
	const struct place *p = *state;
	_cleanup_free_ char *joined = NULL, *nowhere = xasprintf("%s/nowhere", p->low.path);
	_cleanup_strv_ char **names = NULL, **none = NULL;
	char *missing[] = { nowhere, NULL };
	struct error *error = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		scratch_file(&p->low, ignored[i], "", 0644);
	scratch_file(&p->low, "b.vitrine", "", 0644);
	scratch_file(&p->high, "b.vitrine", "", 0644);
	scratch_file(&p->high, "a.vitrine", "", 0644);
	assert_done(profile_list_in(p->dirs, &names, &error), error);
	joined = strv_join(names, " ");
	assert_string_equal(joined, "a b");
	assert_done(profile_list_in(missing, &none, &error), error);
	assert_null(none);
}

static void test_file_by_path(void **state)
{
	const struct place *p = *state;
	_cleanup_free_ char *good = xasprintf("%s/mine.vitrine", p->low.path),
			    *bad = xasprintf("%s/mine.conf", p->low.path);
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct profile *none = NULL;
	struct error *error = NULL;

	scratch_file(&p->low, "mine.vitrine", MINIMAL, 0600);
	scratch_file(&p->low, "mine.conf", MINIMAL, 0600);
	assert_done(profile_load_file(good, "/nonexistent", &profile, &error), error);
	assert_string_equal(profile->name, "mine");
	assert_refused(profile_load_file(bad, "/nonexistent", &none, &error), error, EINVAL,
		       "NAME.vitrine");
	assert_refused(profile_load_file("/dev/null", "/nonexistent", &none, &error), error, EINVAL,
		       "NAME.vitrine");
}

static void add_drop_in_of(const struct scratch *s, const char *name, const char *content,
			   unsigned mode)
{
	_cleanup_close_ int fd = -EBADF;
	struct error *error = NULL;

	assert_done(fs_make_dir(s->fd, "app.vitrine.d", 0755, &fd, &error), error);
	scratch_file(&(struct scratch){ .fd = fd }, name, content, mode);
}

static void add_drop_in(const struct scratch *s, const char *name, const char *content)
{
	add_drop_in_of(s, name, content, 0644);
}

static void assert_tasks(const struct place *p, const char *name, uint32_t tasks)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct error *error = NULL;

	assert_done(load(p, name, &profile, &error), error);
	assert_int_equal(profile->tasks, tasks);
}

static void test_a_profile_inherits(void **state)
{
	const struct place *p = *state;
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct error *error = NULL;

	scratch_file(&p->low, "top.vitrine", MINIMAL "Argument=a\nAlias=t\nImage=one\n", 0644);
	scratch_file(&p->high, "middle.vitrine",
		     "[Profile]\nInherit=top\n[App]\nArgument=b\nTitle=M\n[Limits]\nTasks=50\n",
		     0644);
	scratch_file(&p->low, "app.vitrine", "[App]\nImage=two\n[Profile]\nInherit=middle\n", 0644);
	assert_done(load(p, "app", &profile, &error), error);
	assert_string_equal(profile->name, "app");
	assert_string_equal(profile->command, "x");
	assert_string_equal(profile->image, "two");
	assert_string_equal(profile->title, "M");
	assert_int_equal(profile->tasks, 50);
	assert_int_equal(strv_length(profile->arguments), 2);
	assert_null(profile->aliases);
	assert_int_equal(strv_length(profile->files), 3);
}

static void test_inheriting_ends(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "self.vitrine", "[Profile]\nInherit=self\n" MINIMAL, 0644);
	scratch_file(&p->low, "a.vitrine", "[Profile]\nInherit=b\n" MINIMAL, 0644);
	scratch_file(&p->low, "b.vitrine", "[Profile]\nInherit=a\n" MINIMAL, 0644);
	scratch_file(&p->low, "lost.vitrine", "[Profile]\nInherit=nobody\n" MINIMAL, 0644);
	assert_not_loaded(p, "self", ELOOP, "self.vitrine: Inherit=self leads back");
	assert_not_loaded(p, "a", ELOOP, "Inherit=a leads back");
	assert_not_loaded(p, "lost", ENOENT, "Inherit=nobody: there is no such profile");
	for (unsigned i = 0; i < 100; i++) {
		_cleanup_free_ char *file = xasprintf("n%u.vitrine", i);
		_cleanup_free_ char *text = xasprintf("[Profile]\nInherit=n%u\n" MINIMAL, i + 1);

		scratch_file(&p->low, file, text, 0644);
	}
	scratch_file(&p->low, "n100.vitrine", MINIMAL, 0644);
	assert_not_loaded(p, "n0", ELOOP, "more than 8 profiles inherit");
	assert_image(p, "n93", "base");
}

static void test_drop_ins(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "app.vitrine", MINIMAL "[Limits]\nTasks=40\n", 0644);
	add_drop_in(&p->high, "10-a.conf", "[Limits]\nTasks=50\n");
	assert_tasks(p, "app", 50);
	add_drop_in(&p->low, "20-b.conf", "[Limits]\nTasks=60\n");
	assert_tasks(p, "app", 60); /* by name, whatever the directory */
	add_drop_in(&p->high, "20-b.conf", "[Limits]\nTasks=70\n");
	assert_tasks(p, "app", 70);
	add_drop_in(&p->high, "30-c.txt", "nonsense");
	add_drop_in(&p->high, ".30-c.conf", "nonsense");
	assert_tasks(p, "app", 70);
	assert_int_equal(unlinkat(p->high.fd, "app.vitrine.d/20-b.conf", 0), 0);
	assert_int_equal(symlinkat("/dev/null", p->high.fd, "app.vitrine.d/20-b.conf"), 0);
	assert_tasks(p, "app", 50);
	add_drop_in(&p->low, "40.conf", "[Limits]\nTasks=\n");
	assert_tasks(p, "app", 1024);
}

/* Who inherits gets the profile as it runs. */
static void test_drop_ins_are_inherited(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "app.vitrine", MINIMAL, 0644);
	add_drop_in(&p->high, "a.conf", "[Limits]\nTasks=50\n");
	scratch_file(&p->high, "child.vitrine", "[Profile]\nInherit=app\n", 0644);
	assert_tasks(p, "child", 50);
}

static void test_drop_ins_that_are_none(void **state)
{
	static const struct {
		const char *name, *text;
		int code;
		const char *part;
	} rows[] = {
		{ "a.conf", "[Limits]\nTasks=x\n", EINVAL, "a.conf:2: Tasks= must be" },
		{ "a.conf", "[Profile]\nInherit=app\n", EINVAL, "not a drop-in" },
		{ "a\x1b[31m.conf", "", EINVAL, "'a\\x1b[31m.conf' is not a name" },
		{ "a\xe2\x80\xae.conf", "", EINVAL, "is not a name" },
	};
	const struct place *p = *state;

	scratch_file(&p->low, "app.vitrine", MINIMAL, 0644);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = xasprintf("app.vitrine.d/%s", rows[i].name);

		add_drop_in(&p->high, rows[i].name, rows[i].text);
		assert_not_loaded(p, "app", rows[i].code, rows[i].part);
		assert_int_equal(unlinkat(p->high.fd, path, 0), 0);
	}
	assert_int_equal(mkfifoat(p->high.fd, "app.vitrine.d/a.conf", 0644), 0);
	assert_not_loaded(p, "app", EINVAL, "not a regular file");
	assert_int_equal(unlinkat(p->high.fd, "app.vitrine.d/a.conf", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", p->high.fd, "app.vitrine.d/a.conf"), 0);
	assert_not_loaded(p, "app", ELOOP, "a.conf");
	assert_int_equal(unlinkat(p->high.fd, "app.vitrine.d/a.conf", 0), 0);
	add_drop_in_of(&p->high, "a.conf", "", 0666);
	assert_not_loaded(p, "app", EPERM, "may be written by others");
	assert_int_equal(fchmodat(p->high.fd, "app.vitrine.d/a.conf", 0644, 0), 0);
	assert_int_equal(fchmodat(p->high.fd, "app.vitrine.d", 0777, 0), 0);
	assert_not_loaded(p, "app", EPERM, "app.vitrine.d' may be written by others");
}

static void test_ten_thousand_drop_ins(void **state)
{
	const struct place *p = *state;

	scratch_file(&p->low, "app.vitrine", MINIMAL, 0644);
	for (unsigned i = 0; i < 10000; i++) {
		_cleanup_free_ char *name = xasprintf("%u.conf", i);

		add_drop_in(&p->high, name, "");
	}
	assert_not_loaded(p, "app", E2BIG, "more than 64 drop-ins");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_place, remove_place)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_last_directory_wins),
		TEST(test_a_link_to_dev_null_masks),
		TEST(test_aliases),
		TEST(test_an_alias_of_two_is_of_none),
		TEST(test_suggestions),
		TEST(test_names_are_checked_first),
		TEST(test_files_that_are_no_profile),
		TEST(test_a_file_of_somebody_else),
		TEST(test_a_file_of_a_group),
		TEST(test_a_directory_open_to_others),
		TEST(test_a_huge_file),
		TEST(test_errors_name_file_and_line),
		TEST(test_list),
		TEST(test_file_by_path),
		TEST(test_a_profile_inherits),
		TEST(test_inheriting_ends),
		TEST(test_drop_ins),
		TEST(test_drop_ins_are_inherited),
		TEST(test_drop_ins_that_are_none),
		TEST(test_ten_thousand_drop_ins),
	};

	return cmocka_run_group_tests_name("load", tests, NULL, NULL);
}
