#pragma once

/*
 * The same as emit/lxc.h for a container that the stock tools of LXC start (the template
 * lxc-vitrine), without any program of ours. They prepare no tree, so the image is the lower part
 * of an overlay of liblxc's, and what can be written is a tmpfs each. Pure.
 */

#include "emit/lxc.h"

/*
 * Ids beyond the slices of sandboxes, counted from the user's first subordinate id. All containers
 * have one root, so that images need to be opened to one id only; it has no capability, and only
 * lxc-attach runs a program as it. Each has its own user and group of terminals.
 */
#define LXC_STOCK_ROOT	32768U
#define LXC_STOCK_USERS 32770U /* the user, and + 1 terminals; two for each container */
#define LXC_STOCK_COUNT 16383U

struct lxc_stock {
	const char *rootfs;	       /* what lies over the image; absolute */
	const char *fragments;	       /* text of all fragments, one after the other */
	const char *seccomp_profile;   /* absolute path of the deny list for liblxc */
	uint32_t first_uid, first_gid; /* subordinate ids, of the host */
	uint32_t number;	       /* less than LXC_STOCK_COUNT: which users' ids */
	uint64_t disk;		       /* shared out between what can be written */
	uint32_t inodes;
	char *const *command; /* of lxc-execute, if the caller gives none */
};

/* File names of the fragments, NULL-terminated. */
void lxc_stock_fragments(const char *ret[LXC_FRAGMENTS_MAX + 1]);

int lxc_stock_render(const struct box_plan *b, const struct lxc_stock *in, char **ret,
		     struct error **err);
