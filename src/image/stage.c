#include "image/stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "image/dpkg.h"
#include "image/generation.h"
#include "image/index.h"
#include "image/layer.h"
#include "image/names.h"

#define WORK "work"

/* --- begin ---------------------------------------------------------------------------------------
 */

static bool is_any(const char *name)
{
	return *name;
}

static bool is_of(const char *work, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(work, name, n) && work[n] == '.';
}

/* Removes what killed makers of this image left; -EBUSY where one is alive. */
static int sweep(const struct store *s, const char *name, struct error **err)
{
	_cleanup_strv_ char **all = NULL;
	int r = names_in(s->dir, WORK, is_any, &all, err);

	for (char **work = all; r == 0 && work && *work; work++) {
		_cleanup_free_ char *path = xasprintf(WORK "/%s", *work);
		_cleanup_close_ int dir = -EBADF;

		if (!is_of(*work, name))
			continue;
		r = fs_open_dir(s->dir, path, &dir, err);
		if (r == 0 && flock(dir, LOCK_EX | LOCK_NB) < 0)
			r = error_set(err, EBUSY,
				      "image '%s' is just being made by another process", name);
		if (r == 0)
			r = fs_remove_tree(s->dir, path, err);
	}
	return r;
}

int stage_begin(const struct store *store, const char *name, struct stage *ret, struct error **err)
{
	_cleanup_(stage_release) struct stage s = STAGE_NONE;
	_cleanup_close_ int order = -EBADF;
	_cleanup_free_ char *path = NULL;
	int r;

	r = store_lock(store, &order, err);
	if (r == 0)
		r = sweep(store, name, err);
	if (r < 0)
		return r;
	s.store = store;
	s.name = xstrdup(name);
	s.work = xasprintf("%s.%d", name, getpid());
	path = xasprintf(WORK "/%s", s.work);
	r = fs_make_dir(store->dir, path, 0700, &s.dir, err);
	if (r < 0)
		return r;
	if (flock(s.dir, LOCK_EX | LOCK_NB) < 0)
		return error_errno(err, "cannot lock '%s/%s'", store->path, path);
	*ret = s;
	s = STAGE_NONE;
	return 0;
}

int stage_add_layer(struct stage *s, const char *key, int *ret_root, struct error **err)
{
	_cleanup_free_ char *name = xasprintf("%zu", s->n_layers);
	_cleanup_close_ int dir = -EBADF, root = -EBADF;
	int r;

	r = fs_make_dir(s->dir, name, 0755, &dir, err);
	if (r == 0)
		r = fs_make_dir(dir, "root", 0755, &root, err);
	if (r < 0)
		return r;
	if (fchmod(dir, 0755) < 0 || fchmod(root, 0755) < 0) /* whatever the umask is */
		return error_errno(err, "cannot make a layer");
	s->layers = xreallocarray(s->layers, s->n_layers + 1, sizeof *s->layers);
	*ret_root = root;
	s->layers[s->n_layers++] = (struct stage_layer){
		.root = TAKE_FD(root),
		.key = key ? xstrdup(key) : NULL,
	};
	return 0;
}

void stage_release(struct stage *s)
{
	_cleanup_free_ char *path = s->work ? xasprintf(WORK "/%s", s->work) : NULL;
	struct error *error = NULL;

	for (size_t i = 0; i < s->n_layers; i++) {
		close_fd(s->layers[i].root);
		free(s->layers[i].key);
	}
	if (path && s->dir >= 0 && fs_remove_tree(s->store->dir, path, &error) < 0)
		error_free(error); /* whoever comes next sweeps it up */
	close_fd(s->dir);
	free(s->layers);
	free(s->name);
	free(s->work);
	*s = STAGE_NONE;
}

/* --- commit --------------------------------------------------------------------------------------
 */

/* Writes the layer's index beside its tree, and names it in the manifest. */
static int finish_layer(struct stage *s, size_t i, struct manifest *m, struct error **err)
{
	const struct stage_layer *l = &s->layers[i];
	_cleanup_free_ char *name = xasprintf("%zu", i), *text = NULL, *digest = NULL;
	_cleanup_close_ int dir = -EBADF;
	struct index_sums sums;
	int r;

	r = index_make(l->root, &text, &sums, err);
	if (r == 0)
		r = fs_open_dir(s->dir, name, &dir, err);
	if (r == 0)
		r = fs_write(dir, "index", text, strlen(text), 0644, err);
	if (r < 0)
		return r;
	if (m->n_layers >= MANIFEST_LAYERS_MAX)
		return error_set(err, E2BIG, "more than %u layers", MANIFEST_LAYERS_MAX);
	digest = sha256_hex(text, strlen(text));
	manifest_add_layer(m, &(struct manifest_layer){ .digest = digest,
							.key = l->key,
							.bytes = sums.bytes,
							.files = sums.files });
	return 0;
}

/* Of the topmost layer that has a list; one that was not made by dpkg has none. */
static int find_packages(const struct stage *s, struct manifest *m, struct error **err)
{
	bool found = false;
	int r = 0;

	for (size_t i = s->n_layers; i-- > 0 && !found && r == 0;)
		r = dpkg_packages(s->layers[i].root, m, &found, err);
	return r;
}

/* A layer of that name is the same layer, as long as it is not damaged; then this one mends it. */
static int place_layer(const struct stage *s, size_t i, const char *digest, struct error **err)
{
	_cleanup_free_ char *from = xasprintf(WORK "/%s/%zu", s->work, i);
	_cleanup_free_ char *to = xasprintf("layers/%s", digest);
	const struct store *store = s->store;

	if (renameat2(store->dir, from, store->dir, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST) {
		if (layer_verify(store, digest, err) == 0)
			return 0;
		*err = error_free(*err);
		if (renameat2(store->dir, from, store->dir, to, RENAME_EXCHANGE) == 0)
			return 0;
	}
	return error_errno(err, "cannot put layer %.12s in its place", digest);
}

static int set_created(struct manifest *m, struct error **err)
{
	char created[sizeof "2000-01-01T00:00:00Z"];
	time_t now = time(NULL);
	struct tm utc;

	if (!gmtime_r(&now, &utc) || !strftime(created, sizeof created, "%Y-%m-%dT%H:%M:%SZ", &utc))
		return error_set(err, EINVAL, "cannot tell the time");
	free(m->created);
	m->created = xstrdup(created);
	return 0;
}

/* After the newest of all, also where an older one is the current one. */
static int set_generation(const struct store *s, struct manifest *m, struct error **err)
{
	_cleanup_free_ uint32_t *all = NULL;
	uint32_t current;
	size_t n;
	int r = image_generations(s, m->name, &all, &n, &current, err);

	if (r == -ENOENT) {
		*err = error_free(*err);
		n = 0;
	} else if (r < 0) {
		return r;
	}
	m->generation = n ? all[n - 1] + 1 : 1;
	return 0;
}

int stage_commit(struct stage *s, struct manifest *m, struct error **err)
{
	size_t first = m->n_layers;
	_cleanup_close_ int order = -EBADF;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_layers; i++)
		r = finish_layer(s, i, m, err);
	if (r == 0 && !m->n_packages)
		r = find_packages(s, m, err);
	if (r == 0)
		r = set_created(m, err);
	if (r == 0)
		r = store_lock(s->store, &order, err);
	for (size_t i = 0; r == 0 && i < s->n_layers; i++)
		r = place_layer(s, i, m->layers[first + i].digest, err);
	manifest_drop_doubles(m);
	if (r == 0)
		r = set_generation(s->store, m, err);
	if (r == 0)
		r = generation_add(s->store, m, err);
	if (r < 0)
		return r;
	/* What the link will name is on the disk before the link is. */
	if (syncfs(s->store->dir) < 0)
		return error_errno(err, "cannot write the image to disk");
	return generation_switch(s->store, m->name, m->generation, err);
}
