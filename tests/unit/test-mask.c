/* gate/mask: what is not there in a given tree. */

#include "gate/mask.h"

#include "unit.h"

static void test_what_is_masked(void **state)
{
	static char *const masks[] = { (char *)"autostart", (char *)"share/applications",
				       (char *)".cache/p10k-*", (char *)".zcompdump*", NULL };
	static const struct {
		const char *dir, *name;
		enum mask mask;
	} rows[] = {
		{ "", "autostart", MASK_HIDDEN },
		{ "", "AutoStart", MASK_HIDDEN },
		{ "", "auto\xc5\xbftart", MASK_HIDDEN }, /* a long s, which folds to s */
		{ "autostart", "x.desktop", MASK_HIDDEN },
		{ "Autostart/deep", "x", MASK_HIDDEN },
		{ "", "autostart2", MASK_NONE },
		{ "", "auto", MASK_NONE },
		{ "x", "autostart", MASK_NONE },
		{ "", "share", MASK_ABOVE },
		{ "", "SHARE", MASK_ABOVE },
		{ "share", "applications", MASK_HIDDEN },
		{ "share", "apps", MASK_NONE },
		{ "", ".cache", MASK_ABOVE },
		{ ".cache", "p10k-dump.zsh", MASK_HIDDEN },
		{ ".cache", "P10K-", MASK_HIDDEN },
		{ ".cache/p10k-x", "y", MASK_HIDDEN },
		{ ".cache", "p10", MASK_NONE },
		{ "", ".zcompdump-host", MASK_HIDDEN },
		{ "", ".zcompdum", MASK_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(mask_of(masks, rows[i].dir, rows[i].name), rows[i].mask);
		assert_int_equal(mask_of(NULL, rows[i].dir, rows[i].name), MASK_NONE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_masked),
	};

	return cmocka_run_group_tests_name("mask", tests, NULL, NULL);
}
