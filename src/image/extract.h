#pragma once

/*
 * The files of a hostile archive, made one after the other beneath a directory that was empty. No
 * name leads out of it or through a link, nothing is ever replaced, and nothing that is made has a
 * privilege. Knows no archive format. Names are clean (image/beneath.h).
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define EXTRACT_NAMES_MAX (256U << 20) /* bytes of all names of directories together */
#define EXTRACT_TIME_MAX  UINT32_MAX   /* seconds since 1970 that every file system can hold */

struct extract_dir {
	char *name;
	uint64_t modified;
	bool implied; /* by what is in it: the archive does not say what it is like */
};

struct extract {
	int root;
	bool layer;
	uint64_t newest; /* later times become this one */
	int parent;	 /* the directory of the last entry: the next one is usually there too */
	char *parent_name;
	struct extract_dir *dirs; /* making entries changes the time of their directory */
	size_t n_dirs;
	size_t names_size;
};

#define EXTRACT_NONE ((struct extract){ .root = -EBADF, .parent = -EBADF })

/* A layer may have whiteouts and opaque directories, and is not given the mount points of a box. */
int extract_begin(struct extract *x, int dir, bool layer, uint64_t newest, struct error **err);

/* May be there already; the last mode and time count. */
int extract_dir(struct extract *x, const char *name, mode_t mode, int64_t modified,
		struct error **err);

/* Makes an empty file; the caller writes it and hands the descriptor to the second one. */
int extract_file(struct extract *x, const char *name, int *ret_fd, struct error **err);
int extract_file_end(struct extract *x, const char *name, int fd, mode_t mode, int64_t modified,
		     struct error **err);

int extract_link(struct extract *x, const char *name, const char *target, int64_t modified,
		 struct error **err);

/* A second name for what was made before; for a whiteout, another one. */
int extract_hard_link(struct extract *x, const char *name, const char *target, struct error **err);

/* These two of layers alone. */
int extract_whiteout(struct extract *x, const char *name, int64_t modified, struct error **err);
int extract_opaque(struct extract *x, const char *name, struct error **err);

/* Adds the mount points, sets the times of directories. */
int extract_end(struct extract *x, struct error **err);

/* Calls for each directory that is implied, sorted. */
typedef void extract_implied_fn(void *user, const char *name);
void extract_implied(const struct extract *x, extract_implied_fn *fn, void *user);

void extract_release(struct extract *x);
