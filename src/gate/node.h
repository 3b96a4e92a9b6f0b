#pragma once

/*
 * What the kernel knows by number: files and directories that it has looked up (FUSE "nodeid") and
 * not forgotten. A node knows its name and its parent, never an open descriptor: each operation
 * walks from the descriptor of the grant again, so that nothing that was moved out of a tree stays
 * within reach.
 *
 * Every kind of node has its operations; gate/server.c answers the kernel and knows nothing else of
 * them. They return 0 or -errno, which the application sees.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "gate/grant.h"

struct server;
struct node;

/* One open file. Reading, writing, seeking and syncing need nothing but its descriptor. A kind
 * fills fd when it opens; gate/server.c does the rest, and closes it. */
struct handle {
	struct handle *next; /* of the same node */
	struct node *node;
	uint64_t id;   /* the kernel's number */
	int fd;	       /* owned */
	bool writable; /* opened for writing */
	bool append;   /* pwritev2(2), RWF_APPEND: the end is the one outside */
};

/* Takes one name of a directory; false: there is no more room, stop. */
typedef bool directory_fn(void *user, const char *name, const struct stat *st);

struct kind {
	/* Directories. *ret is found or made with node_get(). What these saw of it with stat(2) may
	 * be left in s->seen: it saves the question. */
	int (*lookup)(struct server *s, struct node *dir, const char *name, struct node **ret);
	int (*list)(struct server *s, struct node *dir, directory_fn *fn, void *user);
	int (*create)(struct server *s, struct node *dir, const char *name, mode_t mode, int flags,
		      struct node **ret, struct handle *ret_handle);
	int (*make_dir)(struct server *s, struct node *dir, const char *name, mode_t mode,
			struct node **ret);
	int (*symlink)(struct server *s, struct node *dir, const char *name, const char *target,
		       struct node **ret);
	int (*unlink)(struct server *s, struct node *dir, const char *name);
	int (*remove_dir)(struct server *s, struct node *dir, const char *name);
	/* Both directories are of this kind. `flags` as of renameat2(2). */
	int (*rename)(struct server *s, struct node *dir, const char *name, struct node *to_dir,
		      const char *to_name, unsigned flags);
	/* Everything. `h` is NULL unless the kernel named an open file (it seldom does: what is
	 * open but has no name any more is n->handles). Ids and file types are those outside;
	 * gate/server.c makes of them what is seen inside, and has dealt with owners before it
	 * calls change(). */
	int (*stat)(struct server *s, struct node *n, const struct handle *h, struct stat *ret);
	int (*change)(struct server *s, struct node *n, struct handle *h, const struct stat *to,
		      int what); /* FUSE_SET_ATTR_* */
	int (*access)(struct server *s, struct node *n, int mask);
	int (*readlink)(struct server *s, struct node *n, char *ret, size_t size);
	/* Files. `flags` as of open(2), only those that mean something here; fills fd. */
	int (*open)(struct server *s, struct node *n, int flags, struct handle *ret);
	/* Before `size` more bytes than there are now are in it; NULL: always allowed. */
	int (*grow)(struct server *s, struct handle *h, uint64_t size);
	/* close(2) and fsync(2) of a writable handle: what was written must be at its place. */
	int (*flush)(struct server *s, struct handle *h);
	/* The last handle was closed (n->handles is NULL); the node may be unlinked. */
	void (*closed)(struct server *s, struct node *n);
	/* The kernel forgot it, and nothing refers to it. */
	void (*forget)(struct server *s, struct node *n);
};

extern const struct kind kind_root;  /* the root, and "trees" */
extern const struct kind kind_files; /* "files" and "files/N": the directory of given files */
extern const struct kind kind_file;  /* a given file, or one that lives only in the sandbox */
extern const struct kind kind_tree;  /* everything in a given tree, its root too */

struct node {
	uint64_t id;	     /* the kernel's number; 1 is the root */
	uint64_t generation; /* differs when a number is used again */
	const struct kind *kind;
	struct node *parent; /* NULL: the root, or unlinked */
	char *name;
	struct grant *grant; /* NULL: a directory of the gate's own, or a private file */
	uint64_t lookups;    /* how often the kernel was told its number */
	unsigned children;   /* nodes that have it as their parent: it stays as long */
	struct handle *handles;
	bool was_opened, was_written; /* opened so, and that was said (GATE_OPENED) */
	struct timespec changed;      /* st_ctim when it was opened last */
	struct timespec told;	      /* st_ctim when the kernel was told what it is like */
	bool was_told;		      /* and it was not changed from inside since */
	dev_t dev;		      /* kind_tree: which file outside has the name */
	ino_t ino;
	void *data;	   /* of its kind; kind_tree: struct stat of a directory that was removed */
	int watch;	   /* number of inotify(7), if it is watched (gate/watch.h); else 0 */
	struct node *next; /* in its hash chain */
};

struct node *node_find(struct server *s, uint64_t id); /* NULL: the kernel has none such */

/* The child of `parent` with this name, made if it is not known yet. */
struct node *node_get(struct server *s, struct node *parent, const char *name,
		      const struct kind *kind, struct grant *grant);
struct node *node_peek(struct server *s, struct node *parent, const char *name); /* or NULL */

/* It is under another name now (what was known there is unlinked), or under none. */
void node_rename(struct server *s, struct node *n, struct node *parent, const char *name);
void node_swap(struct server *s, struct node *a, struct node *b); /* RENAME_EXCHANGE */
void node_unlink(struct server *s, struct node *n);

/* Frees it if the kernel has forgotten it and nothing refers to it. */
void node_release(struct server *s, struct node *n);
