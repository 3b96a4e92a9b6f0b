#pragma once

/*
 * What is in a tree, as text: one line for each file, sorted by path, so that equal trees have
 * equal texts. The SHA-256 of that text names a layer; a byte that changes in a file changes it,
 * and the line says which file it was.
 *
 *   TYPE MODE MTIME SIZE DATA PATH
 *
 * TYPE is d (directory), o (directory that hides what lower layers have there), f (file), l (link),
 * h (second name of a file, whose first one is DATA), w (whiteout: lower layers' file is gone).
 * MODE is octal, MTIME in seconds since 1970, DATA a file's SHA-256 or a link's target, "-" for
 * nothing. Bytes of PATH and of a target that are not printable ASCII, blanks and '\' are \ooo.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define INDEX_MAX (1U << 30) /* bytes of the text */

struct index_sums {
	uint64_t files; /* entries of every kind */
	uint64_t bytes; /* in regular files, each counted once */
};

/* Reads the tree beneath `root`, every byte of it. -EINVAL for what no layer may hold: devices but
 * whiteouts, sockets, FIFOs, set-id bits, extended attributes of overlayfs but "opaque". */
int index_make(int root, char **ret, struct index_sums *ret_sums, struct error **err);

/* Is the tree still what the text says? -EBADMSG names the first difference. */
int index_check(int root, const char *text, struct error **err);

/* The bytes of all files that the text names. */
uint64_t index_bytes(const char *text);
