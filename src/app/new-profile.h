#pragma once

/* A profile and a recipe for the application of a package. */

#include "base/error.h"

struct new_profile {
	const char *name;
	const char *package;
	const char *base; /* image */
};

/* How the application is started: as the package says where it is installed beneath `root` ("" for
 * this host), otherwise by its name. The text of a profile that reads back. */
int new_profile_render(const struct new_profile *n, const char *root, char **ret,
		       struct error **err);

/* The text of the recipe. */
char *new_recipe_render(const struct new_profile *n);

/* Writes both; -EEXIST where there is a profile or a recipe of that name, anywhere. */
int new_profile_write(const struct new_profile *n, const char *home, char **ret_profile,
		      char **ret_recipe, struct error **err);
