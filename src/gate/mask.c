#include "gate/mask.h"

#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fold.h"

/* Is `path` above what `mask` hides? The tree itself is above all of it. */
static bool is_above(const char *path, const char *mask)
{
	const char *rest = *path ? fold_beneath(mask, path) : mask;

	return rest && *rest;
}

static enum mask compare(const char *mask, const char *path)
{
	size_t n = strlen(mask);
	_cleanup_free_ char *begin = n && mask[n - 1] == '*' ? xstrndup(mask, n - 1) : NULL;

	if (begin ? fold_begins(path, begin) : fold_beneath(path, mask) != NULL)
		return MASK_HIDDEN;
	return is_above(path, mask) ? MASK_ABOVE : MASK_NONE;
}

enum mask mask_of(char *const *masks, const char *dir, const char *name)
{
	_cleanup_free_ char *path = *dir ? xasprintf("%s/%s", dir, name) : xstrdup(name);
	enum mask worst = MASK_NONE;

	for (; masks && *masks; masks++) {
		enum mask m = compare(*masks, path);

		if (m > worst)
			worst = m;
	}
	return worst;
}
