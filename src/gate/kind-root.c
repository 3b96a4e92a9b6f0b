/* The directories of the gate's own above all places: the root and "trees". Nothing in them can be
 * changed from inside. */

#include <string.h>

#include "gate/server.h"

static bool is_root(const struct node *n)
{
	return !n->parent;
}

static int lookup(struct server *s, struct node *dir, const char *name, struct node **ret)
{
	_cleanup_free_ char *place = NULL;
	struct grant *g;

	if (is_root(dir) && strcmp(name, GATE_FILES) == 0) {
		*ret = node_get(s, dir, name, &kind_files, NULL);
		return 0;
	}
	if (is_root(dir) && strcmp(name, GATE_TREES) == 0) {
		*ret = node_get(s, dir, name, &kind_root, NULL);
		return 0;
	}
	if (is_root(dir))
		return -ENOENT;
	place = xasprintf(GATE_TREES "/%s", name);
	g = grant_at(s, place);
	if (!g)
		return -ENOENT;
	*ret = node_get(s, dir, name, &kind_tree, g);
	return 0;
}

static int list(struct server *s, struct node *dir, directory_fn *fn, void *user)
{
	const struct stat st = { .st_mode = S_IFDIR, .st_ino = dir->id };

	if (is_root(dir)) {
		(void)(fn(user, GATE_FILES, &st) && fn(user, GATE_TREES, &st));
		return 0;
	}
	for (const struct grant *g = s->grants; g; g = g->next) {
		size_t n = strlen(GATE_TREES "/");

		if (!g->revoked && strncmp(g->place, GATE_TREES "/", n) == 0 &&
		    !fn(user, g->place + n, &st))
			break;
	}
	return 0;
}

static int stat_directory(struct server *s, struct node *n, const struct handle *h,
			  struct stat *ret)
{
	(void)h;
	*ret = (struct stat){
		.st_mode = S_IFDIR | 0555,
		.st_ino = n->id,
		.st_nlink = 2,
		.st_uid = s->own_uid,
		.st_gid = s->own_gid,
		.st_blksize = 4096,
	};
	return 0;
}

static int access_directory(struct server *s, struct node *n, int mask)
{
	(void)s;
	(void)n;
	return mask & W_OK ? -EROFS : 0;
}

const struct kind kind_root = {
	.lookup = lookup,
	.list = list,
	.stat = stat_directory,
	.access = access_directory,
};
