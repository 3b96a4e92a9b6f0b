#pragma once

/* What is to be built again, in which order, and what became different by that. */

#include "base/error.h"
#include "image/manifest.h"

/*
 * Images in an order in which each comes after its base. With names, these and what they are built
 * on; without, all images of the user that have a recipe. -ENOENT: there is no such image.
 */
int update_order(const char *home, char *const *names, char ***ret, struct error **err);

/* Called for each package that is not as before, by name; a version is NULL where it has none. */
typedef void update_change_fn(void *user, const char *name, const char *before, const char *after);
void update_changes(const struct manifest *before, const struct manifest *after,
		    update_change_fn *fn, void *user);
