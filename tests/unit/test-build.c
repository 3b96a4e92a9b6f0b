/* What a build is planned from: apt's simulation, the key of a layer, what runs in the build box.
 */

#include "tests/unit/unit.h"

#include <string.h>

#include "base/strv.h"
#include "image/apt-plan.h"
#include "image/box-layer.h"
#include "image/build-key.h"
#include "image/update.h"

/* --- apt's plan ----------------------------------------------------------------------------------
 */

/* As apt prints it where a package comes from two archives. */
static const char libc6[] =
	"Inst libc6 [2.36-9] (2.36-9+deb12u9 Debian:12.9/stable, Debian-Security:12/stable "
	"[amd64]) []";

static const char *const simulation[] = {
	"NOTE: This is only a simulation!",
	"Remv gone [1.0]",
	libc6,
	"Inst tzdata (1:2024a-0 Debian:12.9/stable [all])",
	"Conf tzdata (1:2024a-0 Debian:12.9/stable [all])",
	"Conf libc6 (2.36-9+deb12u9 Debian:12.9/stable [amd64])",
	"Purg older [2:1~rc1]",
};

static void read_plan(struct apt_plan *p, const char *const *lines, size_t n)
{
	_cleanup_(error_freep) struct error *err = NULL;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(apt_plan_line(p, lines[i], &err), 0);
}

static void plan_is_read(void **state)
{
	static const struct apt_step wanted[] = {
		{ APT_REMOVE, (char *)"gone", NULL, NULL },
		{ APT_UNPACK, (char *)"libc6", (char *)"2.36-9+deb12u9", (char *)"amd64" },
		{ APT_UNPACK, (char *)"tzdata", (char *)"1:2024a-0", (char *)"all" },
		{ APT_CONFIGURE, (char *)"tzdata", (char *)"1:2024a-0", (char *)"all" },
		{ APT_CONFIGURE, (char *)"libc6", (char *)"2.36-9+deb12u9", (char *)"amd64" },
		{ APT_PURGE, (char *)"older", NULL, NULL },
	};
	_cleanup_(apt_plan_release) struct apt_plan p = { 0 };
	_cleanup_free_ char *file = NULL, *all = NULL;
	_cleanup_strv_ char **versions = NULL;

	(void)state;
	read_plan(&p, simulation, ARRAY_SIZE(simulation));
	assert_int_equal(p.n_steps, ARRAY_SIZE(wanted));
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(p.steps[i].action, wanted[i].action);
		assert_string_equal(p.steps[i].name, wanted[i].name);
		if (!wanted[i].version) {
			assert_null(p.steps[i].version);
			continue;
		}
		assert_string_equal(p.steps[i].version, wanted[i].version);
		assert_string_equal(p.steps[i].arch, wanted[i].arch);
	}
	file = apt_file_name(&p.steps[2]);
	assert_string_equal(file, "tzdata_1%3a2024a-0_all.deb");
	versions = apt_plan_versions(&p);
	all = strv_join(versions, " ");
	assert_string_equal(all, "gone- libc6=2.36-9+deb12u9/amd64 older- tzdata=1:2024a-0/all");
}

static void odd_steps_are_refused(void **state)
{
	static const char *const lines[] = {
		"Inst ",
		"Inst -o",
		"Inst ../x (1 Debian [all])",
		"Inst a/b (1 Debian [all])",
		"Inst A (1 Debian [all])",
		"Inst a",
		"Inst a (1)",
		"Inst a (1 Debian [all]",
		"Inst a (--force Debian [all])",
		"Inst a (1/../../x Debian [all])",
		"Inst a (1 Debian [../x])",
		"Inst a (1 Debian [])",
		"Conf a (]) [all",
		"Remv --purge",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_(apt_plan_release) struct apt_plan p = { 0 };
		_cleanup_(error_freep) struct error *err = NULL;

		if (apt_plan_line(&p, lines[i], &err) != -EPROTO)
			fail_msg("'%s' is taken", lines[i]);
		assert_int_equal(p.n_steps, 0);
	}
}

static void date_is_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t seconds;
	} rows[] = {
		{ "Origin: Debian\nDate: Sat, 16 May 2026 10:12:13 UTC\nX: y\n", 1778926333 },
		{ "Date: Thu, 01 Jan 1970 00:00:01 +0000", 1 },
		{ "Date: Sat, 16 May 2026 10:12:13 CEST\n", 0 },
		{ "Date: Sat, 16 Mai 2026 10:12:13 UTC\n", 0 },
		{ "Date: 1\n", 0 },
		{ "X-Date: Sat, 16 May 2026 10:12:13 UTC\n", 0 },
		{ "Date:", 0 },
		{ "", 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(apt_release_date(rows[i].text), rows[i].seconds);
}

/* --- the key -------------------------------------------------------------------------------------
 */

static char *key_of(const struct apt_plan *p, const char *lower, const char *command,
		    const char *files)
{
	char *lowers[] = { (char *)lower, NULL }, *commands[] = { (char *)command, NULL };
	const struct recipe r = { .commands = commands };

	return build_key_make(&(struct build_key){ .kind = "packages",
						   .architecture = "amd64",
						   .suite = "bookworm",
						   .plan = p,
						   .lowers = lowers,
						   .recipe = &r,
						   .files = files });
}

static void key_tells_what_differs(void **state)
{
	_cleanup_(apt_plan_release) struct apt_plan all = { 0 }, less = { 0 }, turned = { 0 };
	static const char *const again[] = {
		"Inst tzdata (1:2024a-0 Debian:12.9/stable [all])",
		"Inst libc6 (2.36-9+deb12u9 Debian:12.9/stable [amd64])",
		"Remv gone [1.0]",
		"Purg older [2:1~rc1]",
	};

	(void)state;
	read_plan(&all, simulation, ARRAY_SIZE(simulation));
	read_plan(&less, simulation, 3);
	read_plan(&turned, again, ARRAY_SIZE(again));
	{
		_cleanup_free_ char *key = key_of(&all, "a", "x", NULL);
		_cleanup_free_ char *same = key_of(&turned, "a", "x", NULL);
		char *different[] = { key_of(&less, "a", "x", NULL), key_of(&all, "b", "x", NULL),
				      key_of(&all, "a", "y", NULL), key_of(&all, "a", "x", "f") };

		assert_int_equal(strlen(key), 64);
		assert_string_equal(key, same); /* the order is apt's business */
		for (size_t i = 0; i < ARRAY_SIZE(different); i++) {
			assert_string_not_equal(key, different[i]);
			free(different[i]);
		}
	}
}

/* --- what runs -----------------------------------------------------------------------------------
 */

static char *runs_of(const struct box_job *j)
{
	_cleanup_strv_ char **lines = NULL;

	for (size_t i = 0; i < j->n_runs; i++) {
		_cleanup_strv_ char **words = NULL;

		for (char **word = j->runs[i]; *word; word++)
			if (strncmp(*word, "--path-", 7) && strncmp(*word, "--force-", 8) &&
			    strncmp(*word, "--log=", 6))
				strv_add(&words, *word);
		strv_take(&lines, strv_join(words, " "));
	}
	return strv_join(lines, "\n");
}

static void steps_become_calls(void **state)
{
	char *locales[] = { (char *)"de_DE.UTF-8", (char *)"sr_RS@latin", NULL };
	char *commands[] = { (char *)"echo 'a'", NULL };
	const struct recipe r = { .locales = locales, .commands = commands };
	_cleanup_(apt_plan_release) struct apt_plan p = { 0 };
	_cleanup_(box_job_release) struct box_job j = { 0 }, back = { 0 };
	_cleanup_(error_freep) struct error *err = NULL;
	_cleanup_free_ char *text = NULL, *packed = NULL, *again = NULL;
	static const char wanted[] =
		"/usr/bin/dpkg --remove gone\n"
		"/usr/bin/dpkg --auto-deconfigure --unpack "
		"/run/vitrine/debs/libc6_2.36-9+deb12u9_amd64.deb "
		"/run/vitrine/debs/tzdata_1%3a2024a-0_all.deb\n"
		"/usr/bin/dpkg --configure tzdata libc6\n"
		"/usr/bin/dpkg --purge older\n"
		"/usr/bin/dpkg --configure --pending\n"
		"/usr/bin/localedef --no-archive --inputfile=de_DE --charmap=UTF-8 de_DE.UTF-8\n"
		"/usr/bin/localedef --no-archive --inputfile=sr_RS@latin --charmap=UTF-8 "
		"sr_RS.UTF-8@latin\n"
		"/bin/sh -c echo 'a'\n";
	size_t size;

	(void)state;
	read_plan(&p, simulation, ARRAY_SIZE(simulation));
	box_layer_plan(&p, &r, &j);
	text = runs_of(&j);
	if (strncmp(text, wanted, strlen(wanted)) != 0)
		fail_msg("%s", text);
	assert_true(strv_contains(j.runs[1], "--path-include=/usr/share/locale/de/*"));
	assert_true(strv_contains(j.runs[1], "--path-include=/usr/share/locale/de_DE/*"));

	strv_add(&j.lowers, "/a");
	j.place = xstrdup("/s");
	j.newest = 7;
	packed = box_job_pack(&j, &size);
	assert_int_equal(box_job_unpack(packed, size, &back, &err), 0);
	again = runs_of(&back);
	assert_string_equal(text, again);
	assert_string_equal(back.lowers[0], "/a");
	assert_null(back.files);
	assert_int_equal(back.newest, 7);
	assert_int_equal(box_job_unpack(packed, size - 1, &back, &err), -EPROTO);
}

/* --- what an update changes ----------------------------------------------------------------------
 */

static void note(void *user, const char *name, const char *before, const char *after)
{
	strv_addf(user, "%s:%s:%s", name, before ? before : "", after ? after : "");
}

static void changes_are_told(void **state)
{
	_cleanup_(manifest_freep) struct manifest *a = manifest_new("x", ""),
						  *b = manifest_new("x", "");
	_cleanup_strv_ char **changes = NULL;
	_cleanup_free_ char *text = NULL;

	(void)state;
	manifest_add_package(a, "a", "1");
	manifest_add_package(a, "b", "1");
	manifest_add_package(a, "c", "1");
	manifest_add_package(b, "b", "2");
	manifest_add_package(b, "c", "1");
	manifest_add_package(b, "d", "1");
	update_changes(a, b, note, &changes);
	text = strv_join(changes, " ");
	assert_string_equal(text, "a:1: b:1:2 d::1");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plan_is_read),	      cmocka_unit_test(odd_steps_are_refused),
		cmocka_unit_test(date_is_read),	      cmocka_unit_test(key_tells_what_differs),
		cmocka_unit_test(steps_become_calls), cmocka_unit_test(changes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
