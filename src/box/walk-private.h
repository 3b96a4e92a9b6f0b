#pragma once

/* One walk at work: what its verbs share. */

#include <sys/stat.h>

#include "box/walk.h"

struct walk {
	const struct walk_order *order;
	int out;
	struct buf buffer; /* for out */
	struct buf path;   /* of what is looked at: inside, or in the archive */
	uint64_t entries;
	bool more; /* than WALK_ENTRIES_MAX */
	walk_left_fn *left;
	void *user;
};

/* What is done with one entry of a directory. `st` is as the entry was a moment ago: whoever opens
 * it looks again. */
typedef int walk_entry_fn(struct walk *w, int dir, const char *name, const struct stat *st,
			  unsigned depth, void *data, struct error **err);

/* Calls it for each entry of the directory `fd` (taken over), with w->path extended by the name.
 * Stops at WALK_ENTRIES_MAX, and sets w->more. */
int walk_entries(struct walk *w, int fd, unsigned depth, walk_entry_fn *entry, void *data,
		 struct error **err);

/* Opens a directory of a directory: no link, nothing of another file system. Negative: it is left
 * out, which is said. */
int walk_open_dir(struct walk *w, int dir, const char *name, unsigned depth, dev_t device);

/* Opens beneath a base; -ENOENT where it is not there. `flags` as of open(2). */
int walk_open_beneath(int base, const char *path, int flags);

void walk_leave_out(struct walk *w, const char *why);

/* Writes what is in w->buffer once that is much, or always. */
int walk_flush(struct walk *w, bool always, struct error **err);

int walk_archive(struct walk *w, const int *bases, struct error **err);
int walk_snapshot(struct walk *w, const int *bases, struct error **err);
int walk_changes(struct walk *w, const int *bases, int old, struct error **err);
int walk_remove(const struct walk_order *o, const int *bases, struct error **err);
