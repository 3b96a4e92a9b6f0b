/* emit/filter: a file is taken as a whole or not at all. */

#include "emit/filter.h"

#include "base/buf.h"
#include "base/fs.h"
#include "unit.h"

static void add_count(struct buf *b, uint32_t n)
{
	buf_add(b, &n, sizeof n);
}

static void add_program(struct buf *b, uint32_t length)
{
	static const struct sock_filter allow = { .code = BPF_RET, .k = 0x7fff0000 };

	add_count(b, 0); /* flags */
	add_count(b, length);
	while (length--)
		buf_add(b, &allow, sizeof allow);
}

static void test_two_programs(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct filter f;

	(void)state;
	add_count(&b, 2);
	add_program(&b, 3);
	add_program(&b, 1);
	assert_int_equal(filter_parse(b.data, b.size, &f), 0);
	assert_int_equal(f.n, 2);
	assert_int_equal(f.programs[0].len, 3);
	assert_int_equal(f.programs[1].len, 1);
	assert_int_equal(f.programs[1].filter[0].k, 0x7fff0000);
}

static void test_every_truncation_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct filter f;

	(void)state;
	add_count(&b, 2);
	add_program(&b, 3);
	add_program(&b, 1);
	for (size_t size = 0; size < b.size; size++) {
		_cleanup_free_ char *cut = xmalloc(size);

		memcpy(cut, b.data, size);
		assert_int_equal(filter_parse(cut, size, &f), -EINVAL);
	}
	add_count(&b, 0);
	assert_int_equal(filter_parse(b.data, b.size, &f), -EINVAL);
}

static void test_counts(void **state)
{
	static const struct {
		uint32_t programs, length;
		int result;
	} rows[] = {
		{ 1, 1, 0 },	   { 0, 1, -EINVAL },	   { FILTER_PROGRAMS_MAX + 1, 1, -EINVAL },
		{ 1, 0, -EINVAL }, { 1, BPF_MAXINSNS, 0 }, { 1, BPF_MAXINSNS + 1, -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_buf_ struct buf b = { 0 };
		struct filter f;

		add_count(&b, rows[i].programs);
		for (uint32_t n = 0; n == 0 || n < rows[i].programs; n++)
			add_program(&b, rows[i].length);
		assert_int_equal(filter_parse(b.data, b.size, &f), rows[i].result);
	}
}

static void test_a_length_that_wraps(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct filter f;

	(void)state;
	add_count(&b, 1);
	add_count(&b, 0);
	add_count(&b, 0x20000001); /* times 8 is 8 in 32 bits */
	buf_add(&b, "12345678", 8);
	assert_int_equal(filter_parse(b.data, b.size, &f), -EINVAL);
}

static void test_count_of_a_descriptor(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	_cleanup_close_ int good = -EBADF, empty = -EBADF;
	struct error *error = NULL;

	(void)state;
	add_count(&b, 1);
	add_program(&b, 1);
	assert_done(fs_memfd("good", b.data, b.size, &good, &error), error);
	assert_done(fs_memfd("empty", "", 0, &empty, &error), error);
	assert_int_equal(filter_count(good), 1);
	assert_int_equal(filter_count(empty), -EINVAL);
	assert_int_equal(filter_load(empty), -EINVAL);
	assert_int_equal(filter_count(-1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two_programs),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_a_length_that_wraps),
		cmocka_unit_test(test_count_of_a_descriptor),
	};

	return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
