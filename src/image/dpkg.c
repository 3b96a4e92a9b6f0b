#include "image/dpkg.h"

#include <string.h>

#include "base/fs.h"
#include "image/beneath.h"

#define DPKG_DIR   "var/lib/dpkg"
#define STATUS_MAX (64U << 20)

/* The value of "Field: value" in a stanza; NULL if it is not there. */
static char *field(const char *stanza, const char *end, const char *name)
{
	size_t n = strlen(name);

	while (stanza < end) {
		size_t line = strcspn(stanza, "\n");

		if (line > n + 2 && !strncmp(stanza, name, n) && !strncmp(stanza + n, ": ", 2))
			return xstrndup(stanza + n + 2, line - n - 2);
		stanza += line + 1;
	}
	return NULL;
}

static void add_package(struct manifest *m, const char *stanza, const char *end)
{
	_cleanup_free_ char *name = field(stanza, end, "Package");
	_cleanup_free_ char *status = field(stanza, end, "Status");
	_cleanup_free_ char *version = field(stanza, end, "Version");

	if (name && version && status && !strcmp(status, "install ok installed"))
		manifest_add_package(m, name, version);
}

int dpkg_packages(int root, struct manifest *m, bool *ret_found, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	_cleanup_free_ char *text = NULL;
	int r;

	*ret_found = false;
	r = beneath_open_dir(root, DPKG_DIR, &dir, err);
	if (r == 0)
		r = fs_read(dir, "status", STATUS_MAX, &text, NULL, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return error_prefix(err, "the image's list of packages");
	for (const char *p = text; *p;) {
		const char *end = strstr(p, "\n\n");

		if (!end)
			end = p + strlen(p);
		add_package(m, p, end);
		p = end + strspn(end, "\n");
	}
	*ret_found = true;
	return 0;
}
