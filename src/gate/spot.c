#include "gate/tree.h"

#include <fcntl.h>
#include <string.h>

#include "gate/mask.h"

bool tree_shows(mode_t mode)
{
	return S_ISREG(mode) || S_ISDIR(mode) || S_ISLNK(mode);
}

bool tree_is_same(const struct node *n, const struct stat *st)
{
	return path_is_tree(n) || (n->dev == st->st_dev && n->ino == st->st_ino);
}

static int check(const struct grant *g, const char *dir, const char *name, enum spot_use use)
{
	enum mask m = g->masks ? mask_of(g->masks, dir, name) : MASK_NONE;

	if (m == MASK_HIDDEN && use < SPOT_MAKE)
		return -ENOENT;
	if (use != SPOT_LOOK && !g->writable)
		return -EROFS;
	if (m == MASK_HIDDEN || (m == MASK_ABOVE && use == SPOT_MOVE))
		return -EACCES;
	return 0;
}

int spot_find(struct server *s, const struct node *dir, const char *name, enum spot_use use,
	      struct spot *ret)
{
	int r;

	r = path_of(dir, &ret->path);
	if (r < 0)
		return r;
	r = check(dir->grant, ret->path.at, name, use);
	if (r < 0)
		return r;
	r = path_enter(s, dir, &ret->path);
	if (r < 0)
		return r;
	ret->dir = r;
	ret->name = name;
	return 0;
}

int spot_of(struct server *s, const struct node *n, enum spot_use use, struct spot *ret)
{
	if (!n->parent)
		return -ENOENT;
	if (!path_is_tree(n))
		return spot_find(s, n->parent, n->name, use, ret);
	if (use != SPOT_LOOK && !n->grant->writable)
		return -EROFS;
	ret->dir = n->grant->fd;
	ret->name = ".";
	return 0;
}

int spot_stat(const struct spot *p, struct stat *ret)
{
	if (fstatat(p->dir, p->name, ret, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return tree_shows(ret->st_mode) ? 0 : -ENOENT;
}
