#include "app/windows.h"

#include <string.h>

#include "image/store.h"
#include "plan/plan.h"

static const struct {
	const char *program;
	const char *package; /* of Debian */
} servers[DISPLAY_BACKEND_MAX] = {
	[DISPLAY_XPRA] = { "xpra", "xpra" },
	[DISPLAY_XEPHYR] = { "Xephyr", "xserver-xephyr" },
};

/* Debian Policy 5.6.12: [epoch:]upstream[-revision]; "+dfsg" and the like mark a source that Debian
 * has changed. */
char *upstream_version(const char *version)
{
	const char *epoch = strchr(version, ':');

	if (epoch)
		version = epoch + 1;
	return xstrndup(version, strcspn(version, "+~-"));
}

const char *release_name(const char *suite)
{
	static const struct {
		const char *suite, *name;
	} releases[] = {
		{ "bookworm", "Debian 12" },
		{ "trixie", "Debian 13" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(releases); i++)
		if (!strcmp(suite, releases[i].suite))
			return releases[i].name;
	return suite;
}

int windows_text(const char *home, enum display_backend backend, char **ret, struct error **err)
{
	const char *program = servers[backend].program;
	_cleanup_(image_release) struct image image = IMAGE_NONE;
	_cleanup_free_ char *upstream = NULL;
	const char *version, *release;
	int r;

	if (!program) {
		*ret = NULL;
		return 0;
	}
	r = image_open(home, DISPLAY_IMAGE, &image, err);
	if (r < 0)
		return r;
	release = release_name(image.manifest->suite);
	version = manifest_version(image.manifest, servers[backend].package);
	if (!version)
		return error_set(err, ENOPKG, "the image '" DISPLAY_IMAGE "' (%s) has no %s",
				 release, program);
	upstream = upstream_version(version);
	*ret = xasprintf("%s %s of the image '" DISPLAY_IMAGE "' (%s)", program, upstream, release);
	return 0;
}
