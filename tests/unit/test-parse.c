/* base/parse: whole numbers and nothing else. */

#include "base/parse.h"

#include "unit.h"

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		int result_32, result_64;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0, 0 },
		{ "42", 0, 0, 42 },
		{ "007", 0, 0, 7 },
		{ "4294967295", 0, 0, UINT32_MAX },
		{ "4294967296", -ERANGE, 0, UINT64_C(1) << 32 },
		{ "18446744073709551615", -ERANGE, 0, UINT64_MAX },
		{ "18446744073709551616", -ERANGE, -ERANGE, 0 },
		{ "99999999999999999999", -ERANGE, -ERANGE, 0 },
		{ "", -EINVAL, -EINVAL, 0 },
		{ "-1", -EINVAL, -EINVAL, 0 },
		{ "+1", -EINVAL, -EINVAL, 0 },
		{ " 1", -EINVAL, -EINVAL, 0 },
		{ "1 ", -EINVAL, -EINVAL, 0 },
		{ "0x10", -EINVAL, -EINVAL, 0 },
		{ "1e3", -EINVAL, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t u32 = 99;
		uint64_t u64 = 99;

		assert_int_equal(parse_u32(rows[i].text, &u32), rows[i].result_32);
		assert_int_equal(parse_u64(rows[i].text, &u64), rows[i].result_64);
		assert_int_equal(u32, rows[i].result_32 ? 99 : rows[i].value);
		assert_int_equal(u64, rows[i].result_64 ? 99 : rows[i].value);
	}
}

static void test_sizes(void **state)
{
	static const struct {
		const char *text;
		int result;
		uint64_t value;
	} rows[] = {
		{ "512", 0, 512 },
		{ "1K", 0, 1024 },
		{ "512M", 0, UINT64_C(512) << 20 },
		{ "16G", 0, UINT64_C(16) << 30 },
		{ "17179869183G", 0, UINT64_C(17179869183) << 30 },
		{ "17179869184G", -ERANGE, 0 },
		{ "1T", -EINVAL, 0 },
		{ "1MB", -EINVAL, 0 },
		{ "1m", -EINVAL, 0 },
		{ "M", -EINVAL, 0 },
		{ "1.5G", -EINVAL, 0 },
		{ "lots", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 99;

		assert_int_equal(parse_size(rows[i].text, &value), rows[i].result);
		assert_int_equal(value, rows[i].result ? 99 : rows[i].value);
	}
}

static void test_bools(void **state)
{
	static const char *const refused[] = { "", "Yes", "true", "1", "yess", "n" };
	bool value = false;

	(void)state;
	assert_int_equal(parse_bool("yes", &value), 0);
	assert_true(value);
	assert_int_equal(parse_bool("no", &value), 0);
	assert_false(value);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(parse_bool(refused[i], &value), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_bools),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
