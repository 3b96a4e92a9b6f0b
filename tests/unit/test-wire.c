/* base/wire: what is put in comes out, and a hostile message is only ever refused. */

#include "base/wire.h"

#include "base/strv.h"
#include "unit.h"

static void put_all(struct buf *b)
{
	char *v[] = { "one", "", "three", NULL };

	wire_put_u32(b, 4000000000U);
	wire_put_string(b, "text");
	wire_put_string(b, NULL);
	wire_put_strv(b, v);
	wire_put_strv(b, NULL);
	wire_put_bytes(b, "\0\1\2", 3);
}

static void test_round_trip(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	_cleanup_free_ char *text = NULL, *empty = NULL;
	_cleanup_strv_ char **v = NULL, **none = NULL;
	const void *bytes;
	struct wire w;
	size_t size;

	(void)state;
	put_all(&b);
	w = wire_open(b.data, b.size);
	assert_int_equal(wire_get_u32(&w), 4000000000U);
	text = wire_get_string(&w);
	assert_string_equal(text, "text");
	empty = wire_get_string(&w);
	assert_string_equal(empty, "");
	v = wire_get_strv(&w);
	assert_int_equal(strv_length(v), 3);
	assert_string_equal(v[2], "three");
	none = wire_get_strv(&w);
	assert_int_equal(strv_length(none), 0);
	assert_false(wire_end(&w));
	bytes = wire_get_bytes(&w, &size);
	assert_int_equal(size, 3);
	assert_memory_equal(bytes, "\0\1\2", 3);
	assert_true(wire_end(&w));
}

/* Reads what put_all() wrote; true if it was all there. */
static bool get_all(const char *data, size_t size)
{
	struct wire w = wire_open(data, size);
	size_t n;

	(void)wire_get_u32(&w);
	free(wire_get_string(&w));
	free(wire_get_string(&w));
	strv_free(wire_get_strv(&w));
	strv_free(wire_get_strv(&w));
	(void)wire_get_bytes(&w, &n);
	return wire_end(&w);
}

static void test_every_truncation_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };

	(void)state;
	put_all(&b);
	assert_true(get_all(b.data, b.size));
	for (size_t size = 0; size < b.size; size++) {
		/* A copy of exactly this size: a byte read behind it is seen by the sanitizer. */
		_cleanup_free_ char *cut = xmalloc(size);

		memcpy(cut, b.data, size);
		assert_false(get_all(cut, size));
	}
	buf_add(&b, "x", 1);
	assert_false(get_all(b.data, b.size));
}

static void test_errors_stick(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	_cleanup_free_ char *text = NULL;
	struct wire w;

	(void)state;
	wire_put_u32(&b, 0xffffffff); /* a length beyond everything */
	wire_put_u32(&b, 7);
	w = wire_open(b.data, b.size);
	text = wire_get_string(&w);
	assert_string_equal(text, "");
	assert_int_equal(wire_get_u32(&w), 0);
	assert_false(wire_end(&w));
}

static void test_nul_in_a_string_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	_cleanup_free_ char *text = NULL;
	struct wire w;

	(void)state;
	wire_put_bytes(&b, "a\0b", 3);
	w = wire_open(b.data, b.size);
	text = wire_get_string(&w);
	assert_string_equal(text, "");
	assert_false(wire_end(&w));
}

static void test_vectors_have_a_limit(void **state)
{
	_cleanup_buf_ struct buf b = { 0 };
	_cleanup_strv_ char **v = NULL;
	struct wire w;

	(void)state;
	wire_put_u32(&b, WIRE_VECTOR_MAX + 1);
	for (size_t i = 0; i <= WIRE_VECTOR_MAX; i++)
		wire_put_string(&b, "");
	w = wire_open(b.data, b.size);
	v = wire_get_strv(&w);
	assert_null(v);
	assert_false(wire_end(&w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_errors_stick),
		cmocka_unit_test(test_nul_in_a_string_is_refused),
		cmocka_unit_test(test_vectors_have_a_limit),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
