#include "image/update.h"

#include <string.h>

#include "base/strv.h"
#include "image/recipe.h"
#include "image/store.h"

#define BASES_MAX 8U

/* Its base comes first, as far as that is there and has a recipe. */
static int add_image(const char *home, char *const *there, const char *name, bool needed,
		     unsigned depth, char ***ret, struct error **err)
{
	_cleanup_(recipe_freep) struct recipe *recipe = NULL;
	int r;

	if (strv_contains(*ret, name) || depth > BASES_MAX)
		return 0;
	r = recipe_load(home, name, &recipe, err);
	if (r == -ENOENT && !needed) { /* imported, or not made yet */
		*err = error_free(*err);
		return 0;
	}
	if (r == 0 && recipe->base && strv_contains(there, recipe->base))
		r = add_image(home, there, recipe->base, false, depth + 1, ret, err);
	if (r == 0)
		strv_add(ret, name);
	return r;
}

int update_order(const char *home, char *const *names, char ***ret, struct error **err)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_strv_ char **there = NULL, **order = NULL;
	int r = store_open(STORE_USER, home, true, &store, err);

	if (r == 0)
		r = image_names(&store, &there, err);
	for (char *const *name = names; r == 0 && name && *name; name++) {
		if (!strv_contains(there, *name))
			return error_set(err, ENOENT,
					 "no image '%s' of yours: make it with 'vitrine image "
					 "build %s'",
					 *name, *name);
		r = add_image(home, there, *name, true, 0, &order, err);
	}
	for (char **name = there; r == 0 && strv_length(names) == 0 && name && *name; name++)
		r = add_image(home, there, *name, false, 0, &order, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(order);
	return 0;
}

void update_changes(const struct manifest *before, const struct manifest *after,
		    update_change_fn *fn, void *user)
{
	size_t i = 0, j = 0, n = before ? before->n_packages : 0;

	while (i < n || j < after->n_packages) {
		const struct manifest_package *a = i < n ? &before->packages[i] : NULL;
		const struct manifest_package *b = j < after->n_packages ? &after->packages[j]
									 : NULL;
		int order = !a ? 1 : !b ? -1 : strcmp(a->name, b->name);

		if (order < 0)
			fn(user, a->name, a->version, NULL);
		else if (order > 0)
			fn(user, b->name, NULL, b->version);
		else if (strcmp(a->version, b->version) != 0)
			fn(user, a->name, a->version, b->version);
		i += order <= 0;
		j += order >= 0;
	}
}
