#include "image/layer.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/sha256.h"
#include "image/index.h"

static int open_layer(const struct store *s, const char *digest, int *ret_dir, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("layers/%s", digest);

	if (!sha256_is_hex(digest))
		return error_set(err, EINVAL, "'%.64s' is not the name of a layer", digest);
	return fs_open_dir(s->dir, path, ret_dir, err);
}

static int find_in(enum store_kind kind, const char *home, const char *digest, char **ret_root,
		   struct error **err)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_close_ int dir = -EBADF, root = -EBADF;
	int r;

	r = store_open(kind, home, false, &store, err);
	if (r == 0)
		r = open_layer(&store, digest, &dir, err);
	if (r == 0)
		r = fs_open_dir(dir, "root", &root, err);
	if (r == 0)
		*ret_root = xasprintf("%s/layers/%s/root", store.path, digest);
	return r;
}

int layer_find(const char *home, const char *digest, char **ret_root, struct error **err)
{
	for (enum store_kind k = 0; k < STORE_KIND_MAX; k++) {
		int r = find_in(k, home, digest, ret_root, err);

		if (r != -ENOENT)
			return r;
		*err = error_free(*err);
	}
	return error_set(err, EBADMSG, "layer %.12s is missing: build or import the image again",
			 digest);
}

int layer_verify(const struct store *s, const char *digest, struct error **err)
{
	_cleanup_close_ int dir = -EBADF, root = -EBADF;
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *found = NULL;
	size_t size;
	int r;

	r = open_layer(s, digest, &dir, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return error_set(err, EBADMSG, "layer %.12s is missing", digest);
	}
	if (r == 0)
		r = fs_read(dir, "index", INDEX_MAX, &text, &size, err);
	if (r < 0)
		return error_prefix(err, "layer %.12s", digest);
	found = sha256_hex(text, size);
	if (strcmp(found, digest) != 0)
		return error_set(err, EBADMSG, "layer %.12s: its index is not as it was made",
				 digest);
	r = fs_open_dir(dir, "root", &root, err);
	if (r == 0)
		r = index_check(root, text, err);
	return r < 0 ? error_prefix(err, "layer %.12s", digest) : 0;
}
