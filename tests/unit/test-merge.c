#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "image/index-line.h"
#include "image/merge.h"

#define D "7de1555df0c2700329e815b93b32c571c3ea54dc967b89e81ab73b9972b72d1d"

/* "TYPE PATH" or "TYPE PATH>FIRST", sorted; other fields are of no matter here. */
static char *make_index(const char *const *files)
{
	_cleanup_buf_ struct buf text = { 0 };

	for (; *files; files++) {
		_cleanup_free_ char *path = xstrdup(*files + 2);
		char *data = strchr(path, '>');

		if (data)
			*data++ = '\0';
		buf_addf(&text, "%c %o %d %d %s %s\n", **files, 0755, 7, **files == 'f' ? 5 : 0,
			 data				    ? data
			 : **files == 'f' || **files == 'l' ? D
							    : "-",
			 path);
	}
	return buf_take(&text);
}

struct example {
	const char *layers[3][8]; /* the topmost first */
	const char *merged[10];	  /* with the layer's number in front */
};

static const struct example examples[] = {
	{ { { "d a", "f a/b" } }, { "0d a", "0f a/b" } },
	{ { { "f a" }, { "f a", "f b" } }, { "0f a", "1f b" } },
	/* directories are merged; the upper one's mode counts */
	{ { { "d a", "f a/c" }, { "d a", "f a/b", "f a/d" } },
	  { "0d a", "1f a/b", "0f a/c", "1f a/d" } },
	/* whiteouts hide, also what is in a directory, and are not shown */
	{ { { "w a" }, { "f a", "f b" } }, { "1f b" } },
	{ { { "w a" }, { "d a", "d a/b", "f a/b/c", "f d" } }, { "1f d" } },
	{ { { "w a" } }, { NULL } },
	/* ... but not what is above them */
	{ { { "f a" }, { "w a" }, { "f a", "f b" } }, { "0f a", "2f b" } },
	{ { { "d a", "f a/x" }, { "w a" }, { "d a", "f a/y" } }, { "0d a", "0f a/x" } },
	/* opaque directories */
	{ { { "o a", "f a/x" }, { "d a", "f a/y", "d a/z", "f a/z/y" } }, { "0d a", "0f a/x" } },
	{ { { "d a" }, { "o a", "f a/x" }, { "d a", "f a/y" } }, { "0d a", "1f a/x" } },
	/* a file in the place of a directory, and the other way round */
	{ { { "f a" }, { "d a", "d a/b", "f a/b/c" } }, { "0f a" } },
	{ { { "d a", "f a/x" }, { "l a" }, { "d a", "f a/y" } }, { "0d a", "0f a/x" } },
	{ { { "d a", "f a/x" }, { "f a" } }, { "0d a", "0f a/x" } },
	/* names that begin alike; the order of directories */
	{ { { "w a" }, { "d a", "f a/b", "f a-b", "f ab" } }, { "1f a-b", "1f ab" } },
	{ { { "d a", "f a/b" }, { "f a!b" }, { "d a", "d a/a", "f a/a/a" } },
	  { "0d a", "2d a/a", "2f a/a/a", "0f a/b", "1f a!b" } },
	/* a second name whose first one is hidden becomes the first */
	{ { { "f x" }, { "f a", "h b>a", "h c>a" } }, { "1f a", "1h b>a", "1h c>a", "0f x" } },
	{ { { "w a" }, { "f a", "h b>a", "h c>a" } }, { "1f b", "1h c>b" } },
	{ { { "w a", "f b" }, { "f a", "h b>a", "h c>a" } }, { "0f b", "1f c" } },
	{ { { "w a", "w b" }, { "f a", "h b>a" } }, { NULL } },
	{ { { "w a" }, { "l a", "h b>a" } }, { "1l b" } },
};

static char *describe(const struct merged *m)
{
	_cleanup_buf_ struct buf text = { 0 };

	for (size_t i = 0; i < m->n; i++) {
		const struct merged_line *l = &m->v[i];

		buf_addf(&text, "%zu%c %s%s%s\n", l->layer, l->line.type, l->line.path,
			 l->line.type == 'h' ? ">" : "", l->line.type == 'h' ? l->line.data : "");
		assert_int_equal(l->line.size, l->line.type == 'f' ? 5 : 0);
		assert_int_equal(l->line.modified, 7);
	}
	return buf_take(&text);
}

static void test_examples(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		const struct example *e = &examples[i];
		_cleanup_(merged_release) struct merged m = { 0 };
		_cleanup_buf_ struct buf expected = { 0 };
		_cleanup_free_ char *found = NULL;
		struct error *err = NULL;
		char *texts[3];
		size_t n = 0;

		for (; n < 3 && e->layers[n][0]; n++)
			texts[n] = make_index(e->layers[n]);
		assert_int_equal(merge_layers(texts, n, &m, &err), 0);
		for (size_t k = 0; e->merged[k]; k++)
			buf_addf(&expected, "%s\n", e->merged[k]);
		found = describe(&m);
		if (strcmp(found, expected.data ? expected.data : ""))
			fail_msg("example %zu:\n%s", i, found);
		while (n)
			free(texts[--n]);
	}
}

/* Whatever the layers are: what is shown has its directory, and they are sorted. */
static void test_random_layers(void **state)
{
	static const char *const names[] = { "a", "a/b", "a/b/c", "a/d", "e", "e/f" };
	static const char types[] = "-dofw";
	unsigned seed = 5;
	(void)state;

	for (unsigned round = 0; round < 3000; round++) {
		_cleanup_(merged_release) struct merged m = { 0 };
		struct error *err = NULL;
		char *texts[3];

		for (size_t i = 0; i < 3; i++) {
			const char *files[8] = { NULL };
			char *made[8] = { NULL };
			size_t n = 0;

			for (size_t k = 0; k < ARRAY_SIZE(names); k++) {
				char type = types[(unsigned)rand_r(&seed) % (sizeof types - 1)];
				const char *slash = strrchr(names[k], '/');
				bool has_dir = !slash;

				for (size_t j = 0; j < n && slash; j++)
					has_dir |= strchr("do", *made[j]) &&
						   !strncmp(made[j] + 2, names[k],
							    (size_t)(slash - names[k])) &&
						   !made[j][2 + (slash - names[k])];
				if (type == '-' || !has_dir)
					continue;
				made[n] = xasprintf("%c %s", type, names[k]);
				files[n] = made[n];
				n++;
			}
			texts[i] = make_index(files);
			while (n)
				free(made[--n]);
		}
		assert_int_equal(merge_layers(texts, 3, &m, &err), 0);
		for (size_t k = 0; k < m.n; k++) {
			const char *slash = strrchr(m.v[k].line.path, '/');

			/* Whatever is shown has its directory, before it. */
			for (size_t j = 0; slash; j++) {
				size_t length = (size_t)(slash - m.v[k].line.path);

				assert_true(j < k);
				if (!strncmp(m.v[j].line.path, m.v[k].line.path, length) &&
				    !m.v[j].line.path[length]) {
					assert_int_equal(m.v[j].line.type, 'd');
					break;
				}
			}
			assert_true(!k ||
				    index_path_compare(m.v[k - 1].line.path, m.v[k].line.path) < 0);
		}
		for (size_t i = 0; i < 3; i++)
			free(texts[i]);
	}
}

static void test_lines(void **state)
{
	static const char text[] = "d 755 12 0 - a\\040b\\134\\012\n"
				   "f 640 4294967295 9 " D " a\\040b\\134\\012/\\377\n";
	_cleanup_(index_lines_release) struct index_lines l = { 0 };
	struct error *err = NULL;
	(void)state;

	assert_int_equal(index_lines_read(text, &l, &err), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.v[0].path, "a b\\\n");
	assert_null(l.v[0].data);
	assert_int_equal(l.v[0].mode, 0755);
	assert_int_equal(l.v[0].modified, 12);
	assert_string_equal(l.v[1].path, "a b\\\n/\377");
	assert_string_equal(l.v[1].data, D);
	assert_int_equal(l.v[1].size, 9);
	assert_ptr_equal(index_lines_find(&l, "a b\\\n"), &l.v[0]);
	assert_null(index_lines_find(&l, "a"));
}

static void test_bad_lines(void **state)
{
	static const char *const cases[] = {
		"d",
		"\n",
		"d 755 1 0 - a",
		"d 755 1 0 -\n",
		"d 755 1 0 -  a\n",
		"d 755 1 0 - a b\n",
		"x 755 1 0 - a\n",
		"dd 755 1 0 - a\n",
		"d 855 1 0 - a\n",
		"d 7777777 1 0 - a\n",
		"d 755 -1 0 - a\n",
		"d 755 1 0 b a\n",
		"f 755 1 0 - a\n",
		"d 755 1 0 - a\\\n",
		"d 755 1 0 - a\\04\n",
		"d 755 1 0 - a\\000\n",
		"d 755 1 0 - a\\777\n",
		"d 755 1 0 - b\nd 755 1 0 - a\n",
		"d 755 1 0 - a\nd 755 1 0 - a\n",
	};
	(void)state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_(error_freep) struct error *err = NULL;
		struct index_lines l;

		if (index_lines_read(cases[i], &l, &err) != -EBADMSG)
			fail_msg("case %zu", i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_examples),
		cmocka_unit_test(test_random_layers),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_bad_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
