/* The store: what is in it is whole, equal layers are one, and nothing that is used is removed. */

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/fs.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "image/gc.h"
#include "image/generation.h"
#include "image/index.h"
#include "image/layer.h"
#include "image/names.h"
#include "image/stage.h"
#include "tests/unit/scratch.h"
#include "tests/unit/unit.h"

static bool is_any(const char *name)
{
	return *name;
}

static size_t count(const struct store *s, const char *part)
{
	_cleanup_strv_ char **names = NULL;
	struct error *error = NULL;

	assert_done(names_in(s->dir, part, is_any, &names, &error), error);
	return strv_length(names);
}

static void open_store(void **state, struct store *ret)
{
	struct error *error = NULL;

	assert_done(store_open(STORE_USER, ((struct scratch *)*state)->path, true, ret, &error),
		    error);
}

static void write_file(int root, const char *name, const char *content)
{
	static const struct timespec times[] = { { .tv_sec = 1 }, { .tv_sec = 1 } };
	struct error *error = NULL;

	assert_done(fs_write(root, name, content, strlen(content), 0644, &error), error);
	assert_int_equal(utimensat(root, name, times, 0), 0);
}

/* An image of one layer with one file; on the layers of `base`, unless that is NULL. */
static void make_image(const struct store *store, const char *name, const char *content,
		       const struct manifest *base)
{
	_cleanup_(manifest_freep) struct manifest *m = manifest_new(name, "test");
	_cleanup_(stage_release) struct stage s = STAGE_NONE;
	struct error *error = NULL;
	int root;

	if (base) {
		m->base = xstrdup(base->name);
		m->base_generation = base->generation;
		for (size_t i = 0; i < base->n_layers; i++)
			manifest_add_layer(m, &base->layers[i]);
	}
	assert_done(stage_begin(store, name, &s, &error), error);
	assert_done(stage_add_layer(&s, NULL, &root, &error), error);
	write_file(root, "file", content);
	assert_done(stage_commit(&s, m, &error), error);
}

static void images(void **state)
{
	const char *home = ((struct scratch *)*state)->path;
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(image_release) struct image i = IMAGE_NONE;
	_cleanup_strv_ char **names = NULL;
	_cleanup_free_ char *text = NULL, *path = NULL;
	struct error *error = NULL;

	assert_refused(image_open(home, "one", &i, &error), error, ENOENT, "image build one");
	open_store(state, &store);
	make_image(&store, "two", "old", NULL);
	make_image(&store, "one", "x", NULL);
	make_image(&store, "two", "new", NULL);
	assert_done(image_names(&store, &names, &error), error);
	assert_int_equal(strv_length(names), 2);
	assert_string_equal(names[0], "one");
	assert_refused(image_open(home, "twp", &i, &error), error, ENOENT, "did you mean 'two'");
	assert_done(image_open(home, "two", &i, &error), error);
	assert_int_equal(i.manifest->generation, 2);
	assert_int_equal(i.manifest->n_layers, 1);
	assert_int_equal(manifest_bytes(i.manifest), 3);
	assert_true(i.manifest->created[0] == '2');
	path = xasprintf("%s/file", i.roots[0]);
	assert_done(fs_read(AT_FDCWD, path, 100, &text, NULL, &error), error);
	assert_string_equal(text, "new");
	assert_true(image_is_there(home, "one"));
	assert_false(image_is_there(home, "three"));
}

static void equal_layers_are_one(void **state)
{
	_cleanup_(store_release) struct store store = STORE_NONE;

	open_store(state, &store);
	make_image(&store, "a", "same", NULL);
	make_image(&store, "b", "same", NULL);
	assert_int_equal(count(&store, "layers"), 1);
	make_image(&store, "c", "other", NULL);
	assert_int_equal(count(&store, "layers"), 2);
	assert_int_equal(count(&store, "work"), 0);
}

static void rollback(void **state)
{
	const char *home = ((struct scratch *)*state)->path;
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(image_release) struct image i = IMAGE_NONE;
	struct error *error = NULL;
	uint32_t now;

	open_store(state, &store);
	make_image(&store, "a", "1", NULL);
	assert_refused(image_rollback(&store, "a", 0, &now, &error), error, ENOENT,
		       "no generation before 1");
	make_image(&store, "a", "2", NULL);
	make_image(&store, "a", "3", NULL);
	assert_done(image_rollback(&store, "a", 0, &now, &error), error);
	assert_int_equal(now, 2);
	assert_done(image_rollback(&store, "a", 0, &now, &error), error);
	assert_int_equal(now, 1);
	assert_refused(image_rollback(&store, "a", 4, &now, &error), error, ENOENT,
		       "no generation 4");
	assert_done(image_open(home, "a", &i, &error), error);
	assert_int_equal(i.manifest->generation, 1);
	make_image(&store, "a", "4", NULL); /* after the newest, not after the current one */
	assert_done(image_rollback(&store, "a", 0, &now, &error), error);
	assert_int_equal(now, 3);
}

static void what_is_used_stays(void **state)
{
	const char *home = ((struct scratch *)*state)->path;
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(image_release) struct image used = IMAGE_NONE, again = IMAGE_NONE;
	struct gc_result result;
	struct error *error = NULL;

	open_store(state, &store);
	make_image(&store, "a", "1", NULL);
	assert_done(image_open(home, "a", &used, &error), error);
	assert_done(image_open(home, "a", &again, &error), error);
	make_image(&store, "a", "2", NULL);
	make_image(&store, "a", "3", NULL);
	assert_done(store_gc(&store, 0, &result, &error), error);
	assert_int_equal(result.generations, 1);
	assert_int_equal(result.layers, 1);
	assert_int_equal(result.bytes, 1);
	assert_int_equal(count(&store, "layers"), 2);
	assert_refused(image_remove(&store, "a", &error), error, EBUSY, "in use");
	image_release(&used);
	assert_refused(image_remove(&store, "a", &error), error, EBUSY, "in use");
	image_release(&again);
	assert_done(image_remove(&store, "a", &error), error);
	assert_int_equal(count(&store, "names"), 0);
	assert_int_equal(count(&store, "layers"), 0);
	assert_refused(image_remove(&store, "a", &error), error, ENOENT, "no image 'a'");
}

static void gc_keeps_the_newest(void **state)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_free_ uint32_t *all = NULL;
	struct gc_result result;
	struct error *error = NULL;
	uint32_t current, now;
	size_t n;

	open_store(state, &store);
	for (unsigned i = 0; i < 5; i++) {
		const char content[] = { (char)('a' + i), '\0' };

		make_image(&store, "a", content, NULL);
	}
	assert_done(image_rollback(&store, "a", 2, &now, &error), error);
	assert_done(store_gc(&store, 2, &result, &error), error);
	assert_int_equal(result.generations, 2);
	assert_done(image_generations(&store, "a", &all, &n, &current, &error), error);
	assert_int_equal(n, 3);
	assert_int_equal(all[0], 2);
	assert_int_equal(all[1], 4);
	assert_int_equal(current, 2);
}

static void bases(void **state)
{
	const char *home = ((struct scratch *)*state)->path;
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(manifest_freep) struct manifest *base = NULL;
	_cleanup_(image_release) struct image i = IMAGE_NONE;
	struct gc_result result;
	struct error *error = NULL;

	open_store(state, &store);
	make_image(&store, "base", "b", NULL);
	assert_done(image_read(&store, "base", 0, &base, &error), error);
	make_image(&store, "app", "a", base);
	assert_int_equal(count(&store, "layers"), 2);
	assert_refused(image_remove(&store, "base", &error), error, EBUSY,
		       "image 'app' is made on");
	make_image(&store, "base", "c", NULL);
	assert_done(store_gc(&store, 0, &result, &error), error);
	assert_int_equal(result.generations, 1);
	assert_int_equal(result.layers, 0); /* the application needs it */
	assert_done(image_open(home, "app", &i, &error), error);
	assert_int_equal(strv_length(i.roots), 2);
	assert_non_null(strstr(i.roots[0], i.manifest->layers[1].digest));
	image_release(&i);
	assert_done(image_remove(&store, "app", &error), error);
	assert_int_equal(count(&store, "layers"), 1);
}

static void one_maker_at_a_time(void **state)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(stage_release) struct stage first = STAGE_NONE;
	struct stage second;
	struct error *error = NULL;

	open_store(state, &store);
	assert_done(stage_begin(&store, "a", &first, &error), error);
	assert_refused(stage_begin(&store, "a", &second, &error), error, EBUSY, "just being made");
	stage_release(&first);
	assert_int_equal(count(&store, "work"), 0);
	assert_int_equal(count(&store, "names"), 0);
}

static void what_killed_makers_left(void **state)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_close_ int dir = -EBADF;
	struct gc_result result;
	struct error *error = NULL;

	open_store(state, &store);
	make_image(&store, "a", "x", NULL);
	assert_int_equal(mkdirat(store.dir, "work/a.1", 0700), 0);
	assert_int_equal(mkdirat(store.dir, "work/a.1/0", 0000), 0);
	assert_int_equal(mkdirat(store.dir, "work/b.1", 0700), 0);
	assert_int_equal(mkdirat(store.dir, "names/b", 0700), 0);
	assert_done(fs_open_dir(store.dir, "names/a", &dir, &error), error);
	write_file(dir, ".2.json.7.new", "half");
	write_file(dir, "7.json", "{"); /* beyond repair: then nobody knows what it needed */
	assert_refused(store_gc(&store, 1, &result, &error), error, EBADMSG, "7.json' is damaged");
	assert_int_equal(count(&store, "layers"), 1);
	assert_done(store_gc(&store, 0, &result, &error), error);
	assert_int_equal(result.leftovers, 2);
	assert_int_equal(count(&store, "work"), 0);
	assert_int_equal(count(&store, "names"), 1);
	assert_int_equal(count(&store, "names/a"), 2);
	make_image(&store, "a", "y", NULL);
}

/* --- damage --------------------------------------------------------------------------------------
 */

static void damage(const struct store *store, const struct manifest *m, const char *name,
		   const char *content)
{
	_cleanup_free_ char *path = xasprintf("layers/%s/root", m->layers[0].digest);
	_cleanup_close_ int root = -EBADF;
	struct error *error = NULL;

	assert_done(fs_open_dir(store->dir, path, &root, &error), error);
	write_file(root, name, content);
}

static void one_byte(void **state)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	struct error *error = NULL;

	open_store(state, &store);
	make_image(&store, "a", "good", NULL);
	assert_done(image_read(&store, "a", 0, &m, &error), error);
	assert_done(layer_verify(&store, m->layers[0].digest, &error), error);
	damage(&store, m, "file", "goof");
	assert_refused(layer_verify(&store, m->layers[0].digest, &error), error, EBADMSG,
		       "'file' is not as it was made");
	damage(&store, m, "file", "good");
	damage(&store, m, "another", "");
	assert_refused(layer_verify(&store, m->layers[0].digest, &error), error, EBADMSG,
		       "'another' should not be there");
	make_image(&store, "a", "good", NULL); /* the same layer: a whole one takes its place */
	assert_done(layer_verify(&store, m->layers[0].digest, &error), error);
}

static void a_missing_layer(void **state)
{
	const char *home = ((struct scratch *)*state)->path;
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	_cleanup_free_ char *path = NULL;
	struct image i = IMAGE_NONE;
	struct error *error = NULL;

	open_store(state, &store);
	make_image(&store, "a", "x", NULL);
	assert_done(image_read(&store, "a", 0, &m, &error), error);
	path = xasprintf("layers/%s", m->layers[0].digest);
	assert_done(fs_remove_tree(store.dir, path, &error), error);
	assert_refused(image_open(home, "a", &i, &error), error, EBADMSG, "is missing");
	assert_refused(layer_verify(&store, m->layers[0].digest, &error), error, EBADMSG,
		       "is missing");
}

static void strangers_may_not_write(void **state)
{
	const char *home = ((struct scratch *)*state)->path;
	_cleanup_(store_release) struct store store = STORE_NONE;
	struct store again;
	struct error *error = NULL;

	open_store(state, &store);
	assert_int_equal(fchmod(store.dir, 0770), 0);
	assert_refused(store_open(STORE_USER, home, false, &again, &error), error, EPERM,
		       "only he may write there");
	assert_int_equal(fchmod(store.dir, 0700), 0);
}

/* --- the index -----------------------------------------------------------------------------------
 */

static void index_of_everything(void **state)
{
	const struct scratch *p = *state;
	static const struct timespec times[] = { { .tv_sec = 7 }, { .tv_sec = 7 } };
	_cleanup_close_ int dir = -EBADF;
	_cleanup_free_ char *text = NULL;
	struct index_sums sums;
	struct error *error = NULL;

	write_file(p->fd, "b \n\\", "xy");
	assert_int_equal(mkdirat(p->fd, "a", 0750), 0);
	assert_done(fs_open_dir(p->fd, "a", &dir, &error), error);
	write_file(dir, "first", "");
	assert_int_equal(linkat(p->fd, "a/first", p->fd, "a/second", 0), 0);
	assert_int_equal(symlinkat("/no where", p->fd, "c"), 0);
	assert_int_equal(utimensat(p->fd, "c", times, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(utimensat(p->fd, "a", times, 0), 0);
	assert_int_equal(mknodat(p->fd, "gone", S_IFCHR, makedev(0, 0)), 0);
	assert_done(index_make(p->fd, &text, &sums, &error), error);
	assert_string_equal(
		text, "d 750 7 0 - a\n"
		      "f 644 1 0 e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 "
		      "a/first\n"
		      "h 644 1 0 a/first a/second\n"
		      "f 644 1 2 769a4e6d0003189c7e96c5d9b7e810a0d11c3a12832527ec94b0f86d277f51ca "
		      "b\\040\\012\\134\n"
		      "l 777 7 0 /no\\040where c\n"
		      "w 0 0 0 - gone\n");
	assert_int_equal(sums.files, 6);
	assert_int_equal(sums.bytes, 2);
	assert_int_equal(index_bytes(text), 2);
	assert_done(index_check(p->fd, text, &error), error);
	assert_int_equal(unlinkat(p->fd, "a/second", 0), 0);
	assert_int_equal(utimensat(p->fd, "a", times, 0), 0);
	assert_refused(index_check(p->fd, text, &error), error, EBADMSG, "'a/second' is missing");
}

static void no_layer_has(void **state)
{
	const struct scratch *p = *state;
	struct index_sums sums;
	struct error *error = NULL;
	char *text;

	assert_int_equal(mkfifoat(p->fd, "pipe", 0600), 0);
	assert_refused(index_make(p->fd, &text, &sums, &error), error, EINVAL, "'pipe': neither");
	assert_int_equal(unlinkat(p->fd, "pipe", 0), 0);
	write_file(p->fd, "suid", "");
	assert_int_equal(fchmodat(p->fd, "suid", 04755, 0), 0);
	assert_refused(index_make(p->fd, &text, &sums, &error), error, EINVAL, "set-id");
	assert_int_equal(unlinkat(p->fd, "suid", 0), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, scratch_make, scratch_remove)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(images),
		TEST(equal_layers_are_one),
		TEST(rollback),
		TEST(what_is_used_stays),
		TEST(gc_keeps_the_newest),
		TEST(bases),
		TEST(one_maker_at_a_time),
		TEST(what_killed_makers_left),
		TEST(one_byte),
		TEST(a_missing_layer),
		TEST(strangers_may_not_write),
		TEST(index_of_everything),
		TEST(no_layer_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
