#include "image/manifest.h"

#include <jansson.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "image/beneath.h"

#define DPKG_DIR   "var/lib/dpkg"
#define STATUS_MAX (64U << 20)

void image_info_release(struct image_info *i)
{
	free(i->name);
	free(i->created);
	free(i->suite);
	*i = (struct image_info){ 0 };
}

/* The value of "Field: value" in a stanza of dpkg's status file; NULL if it is not there. */
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

static void add_package(json_t *packages, const char *stanza, const char *end)
{
	_cleanup_free_ char *name = field(stanza, end, "Package");
	_cleanup_free_ char *status = field(stanza, end, "Status");
	_cleanup_free_ char *version = field(stanza, end, "Version");

	if (name && version && status && !strcmp(status, "install ok installed"))
		/* Fails only for text that is not UTF-8, which is no package either. */
		(void)json_object_set_new(packages, name, json_string(version));
}

/* An image without dpkg has no packages; that is no error. */
static int list_packages(int root, json_t *packages, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = beneath_open_dir(root, DPKG_DIR, &dir, err);
	if (r == 0)
		r = fs_read(dir, "status", STATUS_MAX, &text, &size, err);
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
		add_package(packages, p, end);
		p = end + strspn(end, "\n");
	}
	return 0;
}

int manifest_render(const struct image_info *info, int root, char **ret, struct error **err)
{
	json_auto_t *packages = json_object();
	json_auto_t *top = NULL;
	char *text;
	int r;

	r = list_packages(root, packages, err);
	if (r < 0)
		return r;
	top = json_pack("{ss ss ss sI sI sO}", "name", info->name, "created", info->created,
			"suite", info->suite, "bytes", (json_int_t)info->bytes, "files",
			(json_int_t)info->files, "packages", packages);
	text = top ? json_dumps(top, JSON_INDENT(1) | JSON_SORT_KEYS) : NULL;
	if (!text)
		return error_set(err, EINVAL, "cannot describe the image '%s'", info->name);
	*ret = text;
	return 0;
}

static int damaged(const char *name, struct error **err)
{
	return error_set(err, EINVAL,
			 "'" MANIFEST_NAME "' of image '%s' is damaged: build it again", name);
}

/* The object that the file holds: a new reference. */
static int load(int images, const char *name, json_t **ret, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	_cleanup_free_ char *text = NULL;
	json_error_t why;
	size_t size;
	int r;

	r = fs_open_dir(images, name, &dir, err);
	if (r == 0)
		r = fs_read(dir, MANIFEST_NAME, MANIFEST_MAX, &text, &size, err);
	if (r < 0)
		return r;
	*ret = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	return *ret ? 0 : damaged(name, err);
}

int manifest_read(int images, const char *name, struct image_info *ret, struct error **err)
{
	json_auto_t *top = NULL;
	json_t *packages;
	json_int_t bytes, files;
	const char *created, *suite;
	int r;

	r = load(images, name, &top, err);
	if (r < 0)
		return r;
	if (json_unpack(top, "{ss ss sI sI so}", "created", &created, "suite", &suite, "bytes",
			&bytes, "files", &files, "packages", &packages) < 0)
		return damaged(name, err);
	*ret = (struct image_info){
		.name = xstrdup(name),
		.created = xstrdup(created),
		.suite = xstrdup(suite),
		.bytes = (uint64_t)bytes,
		.files = (uint64_t)files,
		.packages = (uint32_t)json_object_size(packages),
	};
	return 0;
}

int manifest_read_version(int images, const char *name, const char *package, char **ret,
			  struct error **err)
{
	json_auto_t *top = NULL;
	const char *version;
	int r;

	r = load(images, name, &top, err);
	if (r < 0)
		return r;
	version = json_string_value(json_object_get(json_object_get(top, "packages"), package));
	*ret = version ? xstrdup(version) : NULL;
	return 0;
}
