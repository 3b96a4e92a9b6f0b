#pragma once

/*
 * Where a node of a given tree is, and the way there: beneath the descriptor of the grant, through
 * no link, each time again. What was moved out of the tree is not found any more. Only requests
 * that come in one go find the directory of the one before them where it was then.
 */

#include <limits.h>

#include "gate/node.h"

struct path {
	char text[PATH_MAX];
	const char *at; /* in text: relative to the tree, "" for the tree itself */
};

bool path_is_tree(const struct node *n); /* the directory that was given */

/* -ENOENT: it was removed; -ENAMETOOLONG. */
int path_of(const struct node *n, struct path *ret);

/* O_PATH descriptor of a directory whose path is known. Borrowed; one request can have two, and a
 * third takes the place of the first. -errno. */
int path_enter(struct server *s, const struct node *dir, const struct path *p);

/* The requests that came in one go are answered. */
void path_forget(struct server *s);
