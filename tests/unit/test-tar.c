#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <string.h>

#include "image/tar.h"

/* What libarchive reads of an archive; the caller frees both. */
static struct archive_entry *read_first(const struct buf *text, struct archive **ret)
{
	struct archive *a = archive_read_new();
	struct archive_entry *e;

	archive_read_support_format_tar(a);
	assert_int_equal(archive_read_open_memory(a, text->data, text->size), ARCHIVE_OK);
	assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
	*ret = a;
	return e;
}

/* Names and targets of every length, around the one where a pax header is needed, and where the
 * length of a record gets another digit. */
static void test_lengths(void **state)
{
	(void)state;
	for (size_t n = 1; n < 4090; n += n < 1100 ? 1 : 97) {
		_cleanup_buf_ struct buf text = { 0 };
		_cleanup_free_ char *name = xcalloc(n + 1, 1), *target = xcalloc(n + 1, 1);
		struct archive_entry *e;
		struct archive *a;

		memset(name, 'n', n);
		memset(target, 't', n);
		tar_add(&text, &(struct tar_member){ .type = TAR_LINK,
						     .name = name,
						     .target = target,
						     .mode = 0777,
						     .modified = UINT32_MAX });
		assert_int_equal(text.size % TAR_BLOCK, 0);
		tar_end(&text);
		e = read_first(&text, &a);
		assert_string_equal(archive_entry_pathname(e), name);
		assert_string_equal(archive_entry_symlink(e), target);
		assert_int_equal(archive_entry_filetype(e), AE_IFLNK);
		assert_int_equal(archive_entry_mtime(e), UINT32_MAX);
		assert_int_equal(archive_entry_uid(e), 0);
		archive_read_free(a);
	}
}

static void test_sizes(void **state)
{
	static const uint64_t sizes[] = { 0, 1, 512, 077777777777, 0100000000000, 64ULL << 30 };
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		_cleanup_buf_ struct buf text = { 0 };
		struct archive_entry *e;
		struct archive *a;

		tar_add(&text,
			&(struct tar_member){
				.type = TAR_FILE, .name = "a", .mode = 0640, .size = sizes[i] });
		e = read_first(&text, &a);
		assert_int_equal(archive_entry_size(e), sizes[i]);
		assert_int_equal(archive_entry_perm(e), 0640);
		assert_int_equal((sizes[i] + tar_padding(sizes[i])) % TAR_BLOCK, 0);
		archive_read_free(a);
	}
}

static void test_odd_names(void **state)
{
	static const char *const ends[] = { "\n", "\xff", "\xc3\xa9", "\033[2J", "=" };
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		for (size_t n = 1; n <= 200; n += 199) {
			_cleanup_buf_ struct buf text = { 0 };
			_cleanup_free_ char *name = xasprintf("%0*d%s", (int)n, 0, ends[i]);
			struct archive_entry *e;
			struct archive *a;

			tar_add(&text, &(struct tar_member){ .type = TAR_FILE, .name = name });
			e = read_first(&text, &a);
			assert_string_equal(archive_entry_pathname(e), name);
			archive_read_free(a);
		}
	}
}

static void test_opaque(void **state)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct archive_entry *e;
	struct archive *a;
	const char *name;
	const void *value;
	size_t size;
	(void)state;

	tar_add(&text, &(struct tar_member){
			       .type = TAR_DIR, .name = "a", .mode = 01777, .opaque = true });
	e = read_first(&text, &a);
	assert_string_equal(archive_entry_pathname(e), "a/");
	assert_int_equal(archive_entry_perm(e), 01777);
	assert_int_equal(archive_entry_xattr_reset(e), 1);
	assert_int_equal(archive_entry_xattr_next(e, &name, &value, &size), ARCHIVE_OK);
	assert_string_equal(name, "user.overlay.opaque");
	assert_int_equal(size, 1);
	assert_memory_equal(value, "y", 1);
	archive_read_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_odd_names),
		cmocka_unit_test(test_opaque),
	};

	setlocale(LC_CTYPE, "C.UTF-8"); /* as vitrine-unpack has it */
	return cmocka_run_group_tests(tests, NULL, NULL);
}
