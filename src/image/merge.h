#pragma once

/*
 * What overlayfs shows of several layers, by their indexes: of files with one name that of the
 * topmost layer; nothing of what a whiteout, an opaque directory or a file in the place of a
 * directory hides; and of directories that several have, the files of all. Text in, lines out; no
 * files.
 */

#include <stddef.h>

#include "base/error.h"
#include "image/index-line.h"

struct merged_line {
	struct index_line line; /* 'd', 'f', 'l' or 'h', whose first name comes before it */
	size_t layer;
};

struct merged {
	struct merged_line *v; /* in the order of an index */
	size_t n;
};

/* The topmost layer comes first. -EBADMSG: a text is no index. */
int merge_layers(char *const *texts, size_t n, struct merged *ret, struct error **err);
void merged_release(struct merged *m);
