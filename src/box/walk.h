#pragma once

/*
 * Trees that a box writes, looked at from outside: what is in them, what has changed, an archive of
 * some of it, their end. Who owns the box changes them meanwhile as he likes, so everything is
 * named beneath descriptors, no link is followed, nothing is opened that could block, and every
 * amount has a limit.
 *
 * A walk is done by vitrine-walk, which becomes root of the holder's user namespace for it, since
 * the files belong to ids that the user has no rights of; it has no other rights and knows only its
 * order.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/error.h"

#define WALK_ENTRIES_MAX 1000000U
#define WALK_DEPTH_MAX	 120U	       /* of directories; what is deeper is left out */
#define WALK_BYTES_MAX	 (64ULL << 30) /* of an archive, and of one file in it */
#define WALK_ORDER_MAX	 (4U << 20)
#define WALK_ROOTS_MAX	 2200U /* as many as there can be homes, twice */
#define WALK_BASES_MAX	 2U

enum walk_verb {
	WALK_SIZES,    /* a line "ENTRIES BYTES" for each root */
	WALK_SNAPSHOT, /* what WALK_CHANGES compares with */
	WALK_CHANGES,  /* records, see below */
	WALK_ARCHIVE,  /* a tar of the items */
	WALK_REMOVE,   /* the roots, and what is in them */
	WALK_VERB_MAX,
};

/* A directory that is walked: `path` beneath a base; "" is the base itself. One that is not there
 * is empty. */
struct walk_root {
	uint32_t base;
	char *path;
	char *inside; /* absolute path that the box sees it at */
	bool upper;   /* the upper layer of an overlay */
};

struct walk_item {
	uint32_t root;
	char *path; /* beneath the root; "": all that is in it */
	char *name; /* in the archive; "": of its own, only with path "" */
};

struct walk_order {
	enum walk_verb verb;
	uint32_t supervisor; /* pid: vitrine-walk ends with it */
	struct walk_root *roots;
	size_t n_roots;
	struct walk_item *items;
	size_t n_items;
	char **lowers; /* of an upper layer, the topmost first: absolute paths of directories, or
			  such beneath the first base */
	char **skip; /* paths inside of directories that the start has made; they are no changes */
	int64_t since_s; /* files whose status has changed since then have changed */
	uint32_t since_ns;
	bool has_snapshot;
	bool links; /* in archives; otherwise they are left out */
	uint64_t bytes_max;
};

/*
 * A change is "KIND TYPE SIZE PATH" and a NUL: KIND is c (created), m (modified) or r (removed),
 * TYPE d (directory), f (file), l (link) or o (other), SIZE in bytes, PATH absolute and of any
 * bytes but NUL. The last record is "end", or "more" if there is more than was looked at. Without
 * it the walk failed.
 */

/* Descriptors that vitrine-walk inherits; what is left out is said on standard error, a line each,
 * and last what failed if its exit status is not 0. */
enum {
	WALK_ORDER = 3, /* memory file */
	WALK_USER_NS,
	WALK_OLD, /* the snapshot; a memory file */
	WALK_BASES,
	WALK_INHERITED_END = WALK_BASES + WALK_BASES_MAX,
};

void walk_order_write(const struct walk_order *o, struct buf *ret);
int walk_order_read(const void *data, size_t size, struct walk_order *ret, struct error **err);
void walk_order_release(struct walk_order *o);

/* Copies the strings. */
void walk_order_add_root(struct walk_order *o, uint32_t base, const char *path, const char *inside,
			 bool upper);
void walk_order_add_item(struct walk_order *o, uint32_t root, const char *path, const char *name);

/* The root that a path inside lies in: the one with the longest `inside`. Returns its index and the
 * rest of the path, or -ENOENT. Pure. */
int walk_order_find(const struct walk_order *o, const char *path, const char **ret_rest);

/* Told of what is left out, with its name as a whole, and why. */
typedef void walk_left_fn(void *user, const char *name, const char *why);

/* Does it, with the rights of the caller, and writes to `out`. `old` is the snapshot or negative.
 */
int walk_run(const struct walk_order *o, const int *bases, int old, int out, walk_left_fn *left,
	     void *user, struct error **err);
