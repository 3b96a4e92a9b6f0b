/* The truth tables: what stands in tests/seccomp is what the compiled filter does, and what the
 * policy means. */

#include <dirent.h>
#include <fcntl.h>

#include "base/fs.h"
#include "filter-of.h"
#include "unit.h"

#define TABLE_MAX (1U << 20)
#define HIGH	  UINT64_C(0xdeadbeef00000000)
#define ROWS_MIN  500U /* of all tables together */

static bool is_same(struct policy_verdict a, struct policy_verdict b)
{
	return a.kind == b.kind && a.error == b.error;
}

/* What is denied is denied whatever the upper halves are. */
static void check_upper_halves(const struct filter_of *f, const struct truth_row *row,
			       const char *file)
{
	for (unsigned which = 1; which < 1U << POLICY_ARGS; which++) {
		uint64_t args[POLICY_ARGS];

		for (size_t i = 0; i < POLICY_ARGS; i++)
			args[i] = row->args[i] | (which >> i & 1 ? HIGH : 0);
		if (filter_answer(f, row->abi, row->number, args).kind == POLICY_ALLOWED)
			fail_msg("%s:%u: allowed with other upper halves (%#x)", file, row->line,
				 which);
	}
}

static void check_row(const struct filter_of *f, struct truth_row *row, const char *file)
{
	struct policy_verdict got;

	if (row->call) {
		row->number = call_number(row->abi, row->call);
		if (row->number < 0 && row->optional)
			return;
		if (row->number < 0)
			fail_msg("%s:%u: no call '%s'", file, row->line, row->call);
		got = filter_meant(f, row->abi, row->call, row->args);
		if (!is_same(got, row->verdict))
			fail_msg("%s:%u: '%s' means %d %d", file, row->line, row->call, got.kind,
				 got.error);
	}
	got = filter_answer(f, row->abi, row->number, row->args);
	if (!is_same(got, row->verdict))
		fail_msg("%s:%u: the filter says %d %d", file, row->line, got.kind, got.error);
	if (row->verdict.kind != POLICY_ALLOWED)
		check_upper_halves(f, row, file);
}

static size_t check_table(const char *file)
{
	_cleanup_free_ char *policies = xasprintf("%s/../seccomp-policies", getenv("TESTDATA")),
			    *path = xasprintf("%s/seccomp/%s", getenv("TESTDATA"), file),
			    *text = NULL;
	_cleanup_(truth_freep) struct truth *t = NULL;
	_cleanup_(filter_of_release) struct filter_of f = { 0 };
	struct error *error = NULL;

	assert_done(fs_read(AT_FDCWD, path, TABLE_MAX, &text, NULL, &error), error);
	assert_done(truth_read(text, file, &t, &error), error);
	assert_done(filter_of_profile(t->profile, policies, &f, &error), error);
	for (size_t i = 0; i < t->n_rows; i++)
		check_row(&f, &t->rows[i], file);
	return t->n_rows;
}

static void test_tables(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/seccomp", getenv("TESTDATA"));
	DIR *directory = opendir(path);
	const struct dirent *e;
	size_t rows = 0;

	(void)state;
	assert_non_null(directory);
	while ((e = readdir(directory)))
		if (strstr(e->d_name, ".tests"))
			rows += check_table(e->d_name);
	closedir(directory);
	assert_true(rows >= ROWS_MIN);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "", "f: no row" },
		{ "# only words\n\nPolicy=gui\n", "f: no row" },
		{ "x86_64 read\n", "f:1: not ABI" },
		{ "x86_64 read permit\n", "f:1: no verdict 'permit'" },
		{ "\ni386 read allow\n", "f:2: no ABI 'i386'" },
		{ "x86_64 read one allow\n", "f:1: no number 'one'" },
		{ "x86_64 read 0x allow\n", "f:1: no number '0x'" },
		{ "x86_64 read 99999999999999999999 allow\n", "f:1: no number" },
		{ "x86_64 read 0 1 2 3 4 5 6 allow\n", "f:1: not ABI" },
		{ "x86_64 read allow EPERM\n", "f:1: no number 'allow'" },
		{ "x86_64 read allow\nPolicy=gui\n", "f:2: a key after" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *error = NULL;
		struct truth *t = NULL;

		assert_refused(truth_read(rows[i].text, "f", &t, &error), error, EINVAL,
			       rows[i].message);
	}
}

/* Every call that libseccomp knows stands in the table of the default. */
static void test_every_call_has_a_row(void **state)
{
	_cleanup_free_ char *path = xasprintf("%s/seccomp/gui.tests", getenv("TESTDATA")),
			    *text = NULL;
	_cleanup_(truth_freep) struct truth *t = NULL;
	struct error *error = NULL;
	size_t found = 0;

	(void)state;
	assert_done(fs_read(AT_FDCWD, path, TABLE_MAX, &text, NULL, &error), error);
	assert_done(truth_read(text, "gui.tests", &t, &error), error);
	for (int64_t n = 0; n < CALLS_MAX; n++) {
		_cleanup_free_ char *name = call_name(TRUTH_X86_64, n);
		size_t i = 0;

		while (name && i < t->n_rows && (!t->rows[i].call || strcmp(t->rows[i].call, name)))
			i++;
		if (name && i == t->n_rows)
			fail_msg("no row for '%s'", name);
		found += name != NULL;
	}
	assert_true(found > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_every_call_has_a_row),
	};

	return cmocka_run_group_tests_name("truth", tests, NULL, NULL);
}
