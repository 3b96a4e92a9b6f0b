#pragma once

/*
 * Writes tar archives: ustar, with pax headers where a name or a size does not fit. The same
 * members make the same bytes; owners are 0. Pure: no files.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define TAR_BLOCK 512U

enum tar_type {
	TAR_FILE = '0',
	TAR_HARD_LINK = '1', /* of `target`, a name in the archive */
	TAR_LINK = '2',
	TAR_DEVICE = '3', /* character device 0:0 */
	TAR_DIR = '5',
};

struct tar_member {
	enum tar_type type;
	const char *name;
	const char *target;
	mode_t mode;
	uint64_t modified;
	uint64_t size; /* of a file, whose bytes and tar_padding() come next */
	bool opaque;   /* with overlayfs's attribute for a directory that hides what is below it */
};

void tar_add(struct buf *out, const struct tar_member *m);

/* So many zeros follow the data. */
static inline size_t tar_padding(uint64_t size)
{
	return (size_t)(-size & (TAR_BLOCK - 1));
}

/* What comes after the last one. */
void tar_end(struct buf *out);
