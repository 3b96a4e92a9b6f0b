#pragma once

/*
 * What a profile means for the stock tools of LXC: a configuration, and a directory that lies over
 * the image. What only vitrine's own programs can do is left out, and said; a profile that demands
 * it is refused.
 */

#include "app/facts.h"
#include "app/permit.h"
#include "profile/profile.h"

struct stock {
	char *config;
	char **notes;  /* sentences, first of what is left out */
	char **layers; /* of the image, absolute paths */
};

/* The root of all such containers of this user, as ids of the host. */
struct stock_root {
	uint32_t uid, gid;
};

int stock_root_find(struct stock_root *ret, struct error **err);

void stock_release(struct stock *s);

/* `rootfs` is an empty directory, by its absolute path; what comes into it is this user's, and the
 * container's root must own it before a start. `arguments` are added to the application's. */
int stock_make(const struct permit *permit, const struct facts *facts, char *const *arguments,
	       const char *rootfs, struct stock *ret, struct error **err);
