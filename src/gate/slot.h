#pragma once

/*
 * What is at a name in "files" or "files/N". A slot is the name of a given file: it is vacant where
 * nothing is there outside, or where the application has moved or removed what it sees there. That
 * alone changes nothing outside.
 */

#include "gate/private.h"

struct slot {
	const char *sub, *name;
	struct grant *grant;	 /* of this name, or NULL */
	struct private *private; /* that has the name, or NULL */
};

/* -ENOENT: the directory is no more. Borrows `dir` and `name`. */
int slot_find(struct server *s, const struct node *dir, const char *name, struct slot *ret);
int slot_of(struct server *s, const struct node *n, struct slot *ret); /* of kind_file */

/* What is there now, or -EBADF. */
static inline int slot_fd(const struct slot *l)
{
	if (l->private)
		return l->private->fd;
	return l->grant && l->grant->kind == GATE_FILE ? l->grant->fd : -EBADF;
}

/* The descriptor that leads to the content of a node; -EBADF: none. */
int slot_node_fd(struct server *s, const struct node *n, const struct handle *h);

/* Puts a private file in the place of the given one, and frees it. `n` is the node that has been
 * the private file until now, or NULL; what is open of it stays open. */
int slot_commit(struct server *s, struct grant *g, struct private *p, struct node *n);

/* A private copy of the given file with this name, which is to be vacant. */
int slot_copy(struct server *s, const struct slot *l, struct private **ret);

/* What is open of the node reads and writes this one from now on. */
void slot_move_handles(struct node *n, int fd);

/* The node is of this grant now, or of none. */
void slot_set_grant(struct server *s, struct node *n, struct grant *g);

/* The node of "files" or "files/N"; NULL: the kernel does not know it. */
struct node *slot_dir(struct server *s, const char *sub);
