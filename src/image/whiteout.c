#include "image/whiteout.h"

#include <string.h>

#include "base/text.h"

#define SHOWN_MAX 200 /* bytes of a name in a message */

static bool has_prefix(const char *component)
{
	return !strncmp(component, WHITEOUT_PREFIX, strlen(WHITEOUT_PREFIX));
}

bool whiteout_is_reserved(const char *name)
{
	for (const char *p = name; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (has_prefix(p))
			return true;
	}
	return false;
}

static int refuse(struct error **err, const char *name)
{
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	return error_set(err, EINVAL, "refusing '%s': no name for a file, and no whiteout", shown);
}

int whiteout_read(const char *name, enum whiteout *ret, char **ret_name, struct error **err)
{
	const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name, *gone;
	size_t n = (size_t)(base - name);
	_cleanup_free_ char *above = xstrndup(name, n ? n - 1 : 0);

	if (whiteout_is_reserved(above))
		return refuse(err, name);
	if (!has_prefix(base)) {
		*ret = WHITEOUT_NONE;
		*ret_name = NULL;
		return 0;
	}
	if (!strcmp(base, WHITEOUT_OPAQUE)) {
		*ret = WHITEOUT_DIRECTORY;
		*ret_name = TAKE_PTR(above);
		return 0;
	}
	gone = base + strlen(WHITEOUT_PREFIX);
	if (!*gone || !strcmp(gone, ".") || !strcmp(gone, "..") || has_prefix(gone))
		return refuse(err, name);
	*ret = WHITEOUT_FILE;
	*ret_name = xasprintf("%s%s%s", above, n ? "/" : "", gone);
	return 0;
}
