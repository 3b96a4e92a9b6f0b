#pragma once

/* Between the two halves of kind_tree: names (kind-tree.c) and what they lead to (tree-file.c). */

#include "gate/node.h"
#include "gate/path.h"

/* A name, and an open directory that it is in (borrowed, path_enter()). */
struct spot {
	struct path path; /* of the directory */
	int dir;
	const char *name;
};

enum spot_use {
	SPOT_LOOK,   /* masked: -ENOENT */
	SPOT_CHANGE, /* a file or directory that is there; read-only grant: -EROFS */
	SPOT_MAKE,   /* a name that is new; masked: -EACCES */
	SPOT_MOVE,   /* a name that may come to mean another directory; above a mask: -EACCES */
};

int spot_find(struct server *s, const struct node *dir, const char *name, enum spot_use use,
	      struct spot *ret);

/* Of the node itself. The tree's own directory is "." in itself. */
int spot_of(struct server *s, const struct node *n, enum spot_use use, struct spot *ret);

/* What has the name; -ENOENT for what is not shown inside: neither file, directory nor link. */
int spot_stat(const struct spot *p, struct stat *ret);

bool tree_shows(mode_t mode);

/* Of a node whose directory was found: -ESTALE if its name is another file's now. */
bool tree_is_same(const struct node *n, const struct stat *st);

int tree_stat(struct server *s, struct node *n, const struct handle *h, struct stat *ret);
int tree_change(struct server *s, struct node *n, struct handle *h, const struct stat *to,
		int what);
int tree_access(struct server *s, struct node *n, int mask);
int tree_readlink(struct server *s, struct node *n, char *ret, size_t size);
int tree_open(struct server *s, struct node *n, int flags, struct handle *ret);
/* fsync(2) of a directory. */
int tree_sync(struct server *s, struct node *dir);
int tree_grow(struct server *s, struct handle *h, uint64_t size);
void tree_forget(struct server *s, struct node *n);
