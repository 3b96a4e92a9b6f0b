#pragma once

/* Headers of a tar archive (ustar, with GNU's long names). Names and targets are any bytes. */

#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define TAR_BLOCK 512U

enum tar_type {
	TAR_FILE = '0',
	TAR_LINK = '2', /* symbolic */
	TAR_DIR = '5',
};

struct tar_entry {
	enum tar_type type;
	const char *name;
	const char *target; /* of a link */
	mode_t mode;
	uint64_t size; /* of a file: as many bytes follow, and then tar_padding() zeros */
	int64_t modified;
};

/* Appends the header; the owner is nobody in particular (0). */
void tar_add_header(struct buf *out, const struct tar_entry *e);

/* Bytes that fill up the last block. */
size_t tar_padding(uint64_t size);

/* Appends what ends an archive. */
void tar_add_end(struct buf *out);
