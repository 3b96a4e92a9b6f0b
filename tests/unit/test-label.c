/* label: what the kernel says of a process is taken for what was asked only if it is exactly that.
 */

#include "box/label.h"

#include "unit.h"

#define STACK "vitrine-app//&:vitrine-1000:app-0123456789abcdef"

static void test_only_what_was_asked_for(void **state)
{
	static const struct {
		const char *current, *want;
		int result;
	} rows[] = {
		{ "vitrine-app (enforce)\n", "vitrine-app", 0 },
		{ "vitrine-app (enforce)", "vitrine-app", 0 },
		{ STACK " (enforce)\n", STACK, 0 },
		{ "vitrine-app (complain)\n", "vitrine-app", -EPERM },
		{ "vitrine-app (unconfined)\n", "vitrine-app", -EPERM },
		{ "vitrine-app (kill)\n", "vitrine-app", -EPERM },
		{ "vitrine-app\n", "vitrine-app", -EPERM },
		{ "vitrine-app-exec (enforce)\n", "vitrine-app", -EPERM },
		{ "vitrine-app (enforce) (enforce)\n", "vitrine-app", -EPERM },
		{ "unconfined\n", "vitrine-app", -EPERM },
		{ "unconfined\n", "unconfined", -EPERM },
		{ "", "vitrine-app", -EPERM },
		{ "\nvitrine-app (enforce)\n", "vitrine-app", -EPERM },
		{ "vitrine-app (enforce)\n", STACK, -EPERM },
		{ STACK " (mixed)\n", STACK, -EPERM },
		{ STACK " (enforce)\n", "vitrine-app", -EPERM },
		{ "vitrine-app//&unconfined (enforce)\n", "vitrine-app", -EPERM },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(error_freep) struct error *error = NULL;

		assert_int_equal(label_check(rows[i].current, rows[i].want, &error),
				 rows[i].result);
	}
}

static void test_what_it_is_instead_is_shown_escaped(void **state)
{
	struct error *error = NULL;

	(void)state;
	assert_refused(label_check("a\x1b[31m (enforce)\n", "vitrine-app", &error), error, EPERM,
		       "'a\\x1b[31m (enforce)' instead of 'vitrine-app (enforce)'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_only_what_was_asked_for),
		cmocka_unit_test(test_what_it_is_instead_is_shown_escaped),
	};

	return cmocka_run_group_tests_name("label", tests, NULL, NULL);
}
