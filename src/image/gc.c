#include "image/gc.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/generation.h"
#include "image/index.h"
#include "image/names.h"

static bool is_any(const char *name)
{
	return *name;
}

/* --- generations ---------------------------------------------------------------------------------
 */

/* Unless a sandbox uses it. */
static int remove_unused(const struct store *s, const char *name, uint32_t generation,
			 struct gc_result *result, struct error **err)
{
	_cleanup_close_ int lock = -EBADF;
	int r = generation_lock(s, name, generation, LOCK_EX, &lock, err);

	if (r == -EAGAIN) {
		*err = error_free(*err);
		return 0;
	}
	if (r == 0)
		r = generation_remove(s, name, generation, err);
	result->generations += r == 0;
	return r;
}

/* Files of a writer that was killed; nobody writes now. */
static int remove_strays(const struct store *s, const char *name, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("names/%s", name);
	_cleanup_strv_ char **files = NULL;
	int r = names_in(s->dir, path, is_any, &files, err);

	for (char **file = files; r == 0 && file && *file; file++) {
		_cleanup_free_ char *stray = xasprintf("%s/%s", path, *file);

		if (**file == '.')
			r = fs_remove_tree(s->dir, stray, err);
	}
	return r;
}

static int collect_image(const struct store *s, const char *name, uint32_t keep,
			 struct gc_result *result, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("names/%s", name);
	_cleanup_free_ uint32_t *all = NULL;
	uint32_t current, kept = 0;
	size_t n;
	int r;

	r = image_generations(s, name, &all, &n, &current, err);
	if (r == 0)
		r = remove_strays(s, name, err);
	while (r == 0 && n-- > 0) {
		if (all[n] == current || (current && kept++ < keep))
			continue;
		r = remove_unused(s, name, all[n], result, err);
	}
	if (r == 0 && !current) /* was being made or removed; stays while something is in it */
		(void)unlinkat(s->dir, path, AT_REMOVEDIR);
	return r;
}

static int collect_generations(const struct store *s, uint32_t keep, struct gc_result *result,
			       struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	int r = names_in(s->dir, "names", name_is_valid, &names, err);

	for (char **name = names; r == 0 && name && *name; name++)
		r = collect_image(s, *name, keep, result, err);
	return r;
}

/* --- layers --------------------------------------------------------------------------------------
 */

/* Digests of all layers that some generation names. One that cannot be read might name any. */
static int needed_layers(const struct store *s, char ***ret, struct error **err)
{
	_cleanup_strv_ char **names = NULL, **needed = NULL;
	int r = names_in(s->dir, "names", name_is_valid, &names, err);

	for (char **name = names; r == 0 && name && *name; name++) {
		_cleanup_free_ uint32_t *all = NULL;
		uint32_t current;
		size_t n = 0;

		r = image_generations(s, *name, &all, &n, &current, err);
		for (size_t i = 0; r == 0 && i < n; i++) {
			_cleanup_(manifest_freep) struct manifest *m = NULL;

			r = generation_read(s, *name, all[i], &m, err);
			for (size_t k = 0; r == 0 && k < m->n_layers; k++)
				if (!strv_contains(needed, m->layers[k].digest))
					strv_add(&needed, m->layers[k].digest);
		}
	}
	if (r < 0)
		return error_prefix(err, "which layers are needed cannot be told");
	*ret = TAKE_PTR(needed);
	return 0;
}

/* What its index says, in bytes; 0 where that tells nothing. */
static uint64_t layer_size(const struct store *s, const char *digest)
{
	_cleanup_free_ char *path = xasprintf("layers/%s/index", digest), *text = NULL;
	struct error *error = NULL;

	if (fs_read(s->dir, path, INDEX_MAX, &text, NULL, &error) == 0)
		return index_bytes(text);
	error_free(error);
	return 0;
}

/* Renamed first: half a layer is never seen under its name. */
static int remove_layer(const struct store *s, const char *digest, struct gc_result *result,
			struct error **err)
{
	_cleanup_free_ char *from = xasprintf("layers/%s", digest);
	_cleanup_free_ char *to = xasprintf("work/%s.%d", digest, getpid());
	uint64_t size = layer_size(s, digest);
	int r;

	if (renameat2(s->dir, from, s->dir, to, RENAME_NOREPLACE) < 0)
		return error_errno(err, "cannot remove layer %.12s", digest);
	r = fs_remove_tree(s->dir, to, err);
	if (r < 0)
		return error_prefix(err, "layer %.12s", digest);
	result->layers++;
	result->bytes += size;
	return 0;
}

static int collect_layers(const struct store *s, struct gc_result *result, struct error **err)
{
	_cleanup_strv_ char **layers = NULL, **needed = NULL;
	int r;

	r = names_in(s->dir, "layers", sha256_is_hex, &layers, err);
	if (r == 0)
		r = needed_layers(s, &needed, err);
	for (char **layer = layers; r == 0 && layer && *layer; layer++)
		if (!strv_contains(needed, *layer))
			r = remove_layer(s, *layer, result, err);
	return r;
}

/* --- leftovers -----------------------------------------------------------------------------------
 */

static int collect_leftovers(const struct store *s, struct gc_result *result, struct error **err)
{
	_cleanup_strv_ char **all = NULL;
	int r = names_in(s->dir, "work", is_any, &all, err);

	for (char **work = all; r == 0 && work && *work; work++) {
		_cleanup_free_ char *path = xasprintf("work/%s", *work);
		_cleanup_close_ int dir = -EBADF;

		r = fs_open_dir(s->dir, path, &dir, err);
		if (r < 0 || flock(dir, LOCK_EX | LOCK_NB) < 0)
			continue;
		r = fs_remove_tree(s->dir, path, err);
		result->leftovers += r == 0;
	}
	return r;
}

int store_sweep(const struct store *s, struct gc_result *ret, struct error **err)
{
	int r;

	*ret = (struct gc_result){ 0 };
	r = collect_layers(s, ret, err);
	return r < 0 ? r : collect_leftovers(s, ret, err);
}

int store_gc(const struct store *s, uint32_t keep, struct gc_result *ret, struct error **err)
{
	_cleanup_close_ int order = -EBADF;
	struct gc_result generations = { 0 };
	int r;

	r = store_lock(s, &order, err);
	if (r == 0)
		r = collect_generations(s, keep, &generations, err);
	if (r == 0)
		r = store_sweep(s, ret, err);
	if (r == 0)
		ret->generations = generations.generations;
	return r;
}
