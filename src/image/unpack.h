#pragma once

/*
 * A tar archive becomes a tree of files of the calling ordinary user. The archive is hostile until
 * proven otherwise: nothing outside the directory is touched, no privilege comes along (owners,
 * set-id bits, extended attributes, devices), and every amount has a limit.
 *
 * This is the only code that knows libarchive; it is linked into vitrine-unpack alone.
 */

#include <stdint.h>

#include "base/error.h"

#define UNPACK_ENTRIES_MAX 2000000U
#define UNPACK_BYTES_MAX   (64ULL << 30) /* of all files, holes included */
#define UNPACK_NAMES_MAX   (256U << 20)	 /* of all names of directories together */

struct unpack_stats {
	uint64_t entries; /* that were made */
	uint64_t bytes;	  /* in regular files */
	uint64_t dropped; /* devices, FIFOs, sockets, and whatever is below dev/ */
};

typedef void unpack_progress_fn(void *user, const struct unpack_stats *s);

/*
 * Extracts beneath `dir`, which is empty. -ENODATA: the archive ends too early (the sender failed);
 * other errors: it is refused, or the file system is. What was extracted before an error remains.
 */
int unpack_tar(int tar, int dir, unpack_progress_fn *progress, void *user, struct unpack_stats *ret,
	       struct error **err);
