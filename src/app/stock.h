#pragma once

/*
 * What a profile means for the stock tools of LXC: a configuration, and a directory that lies over
 * the image. What only vitrine's own programs can do is left out, and said; a profile that demands
 * it is refused.
 */

#include "app/facts.h"
#include "app/permit.h"
#include "profile/profile.h"

/* `rootfs` is an empty directory, by its absolute path; `arguments` are added to the application's.
 * *ret_left_out are sentences. Both results are owned by the caller. */
int stock_make(const struct permit *permit, const struct facts *facts, char *const *arguments,
	       const char *rootfs, char **ret_config, char ***ret_left_out, struct error **err);
