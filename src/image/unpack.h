#pragma once

/*
 * A tar archive becomes a tree of files of the calling ordinary user. The archive is hostile until
 * proven otherwise: nothing outside the directory is touched, no privilege comes along (owners,
 * set-id bits, extended attributes, devices), and every amount has a limit. Times are whole
 * seconds.
 *
 * Every tree of a store is made by this, in a process of its own:
 *
 *   vitrine-unpack [--layer [--implied]] [--compressed] [--newest SECONDS]
 *                  DIRECTORY|DESCRIPTOR <TAR
 *   vitrine-unpack --recognise [--compressed] <TAR
 *
 * The first writes lines "ENTRIES BYTES DROPPED" on stdout as it goes, the last one is the result;
 * the second writes what the archive holds: "tree", "oci" or "docker". What is refused stands on
 * stderr. Exit status: 0, 1 (refused or failed), 2 (wrong call), 3 (the archive ends too early).
 *
 * This is the only code that knows libarchive; it is linked into vitrine-unpack alone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/extract.h"

#define UNPACK_ENTRIES_MAX 1000000U
#define UNPACK_BYTES_MAX   (64ULL << 30) /* of all files, holes included */

/* A compressed archive may become so many bytes, and so many times its own. */
#define UNPACK_FREE_BYTES (256ULL << 20)
#define UNPACK_RATIO_MAX  200U

#define UNPACK_TRUNCATED 3 /* exit status */
#define UNPACK_IMPLIED	 "implied "

struct unpack_options {
	/* A layer: whiteouts (devices 0:0, .wh.NAME) and opaque directories (the attribute of
	 * overlayfs, .wh..wh..opq) are kept; it may be empty. Otherwise a whole root file system:
	 * it gets the mount points that it lacks. */
	bool layer;
	bool compressed;	     /* by gzip, bzip2, xz or zstd; or not at all */
	uint64_t newest;	     /* later times become this one; EXTRACT_TIME_MAX */
	extract_implied_fn *implied; /* called at the end; may be NULL */
};

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
int unpack_tar(int tar, int dir, const struct unpack_options *o, unpack_progress_fn *progress,
	       void *user, struct unpack_stats *ret, struct error **err);

enum archive_kind {
	ARCHIVE_TREE,
	ARCHIVE_OCI,
	ARCHIVE_DOCKER,
	ARCHIVE_KIND_MAX,
};

const char *archive_kind_to_string(enum archive_kind k);

/* By the first name in it. */
int unpack_recognise(int tar, bool compressed, enum archive_kind *ret, struct error **err);
