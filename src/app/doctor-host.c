#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "app/denials.h"
#include "app/doctor-check.h"
#include "app/doctor-text.h"
#include "base/fs.h"
#include "base/strv.h"
#include "box/holder-protocol.h"
#include "base/subid.h"
#include "emit/filter.h"
#include "image/store.h"

#define SUB_ID_FILE_MAX (1U << 20)
#define SPACE_WANTED	(1024U << 20) /* what building the images takes */
#define MEBIBYTE	(1U << 20)

static const char *const helpers[] = {
	"vitrine-build-box", "vitrine-filter", "vitrine-gate",	  "vitrine-guard",
	"vitrine-holder",    "vitrine-init",   "vitrine-monitor", "vitrine-sound",
	"vitrine-unpack",    "vitrine-walk",   "vitrine-watch",
};
static const char *const program_dirs[] = { "/usr/bin", "/usr/local/bin", "/bin" };
static const char *const service_dirs[] = { "/usr/local/share/dbus-1/services",
					    "/usr/share/dbus-1/services" };

static char *sub_ids_mend(const struct check *c, const struct doctor_context *context)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *text = NULL;
	uint32_t first;

	(void)fs_read(AT_FDCWD, c->subject, SUB_ID_FILE_MAX, &text, NULL, &ignored);
	first = free_sub_ids(text ? text : "", HOLDER_IDS);
	return xasprintf("sudo usermod --add-%ss %u-%u %s", c->subject + strlen("/etc/"), first,
			 first + HOLDER_IDS - 1, context->facts->user);
}

enum doctor_result check_sub_ids(const struct check *c, const struct doctor_context *context,
				 char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;
	uint32_t first;

	if (subid_find(c->subject, HOLDER_IDS, &first, &error) >= 0) {
		*ret_detail = xasprintf("%u ids from %u on", HOLDER_IDS, first);
		return DOCTOR_OK;
	}
	*ret_detail = error->code == ENOENT
			      ? xasprintf("no range of %u ids in %s", HOLDER_IDS, c->subject)
			      : xstrdup(error->message);
	*ret_mend = sub_ids_mend(c, context);
	return DOCTOR_FAILURE;
}

static bool has_file_capabilities(const char *path)
{
	return getxattr(path, "security.capability", NULL, 0) > 0;
}

enum doctor_result check_id_mapper(const struct check *c, const struct doctor_context *context,
				   char **ret_detail, char **ret_mend)
{
	struct statvfs fs;
	struct stat st;

	(void)context;
	if (stat(c->subject, &st) < 0) {
		*ret_detail = xasprintf("%s: %s", c->subject, strerror(errno));
		*ret_mend = xstrdup("sudo apt install uidmap");
	} else if (!((st.st_mode & S_ISUID) && st.st_uid == 0) &&
		   !has_file_capabilities(c->subject)) {
		*ret_detail = xasprintf("%s is neither set-user-ID root nor has capabilities",
					c->subject);
		*ret_mend = xasprintf("sudo chown root: %s && sudo chmod u+s %s", c->subject,
				      c->subject);
	} else if (statvfs(c->subject, &fs) == 0 && (fs.f_flag & ST_NOSUID)) {
		*ret_detail = xasprintf("%s lies on a file system that is mounted nosuid",
					c->subject);
		*ret_mend = xasprintf("sudo mount -o remount,suid \"$(stat -c %%m %s)\"",
				      c->subject);
	} else {
		*ret_detail = xasprintf("%s, %s", c->subject,
					(st.st_mode & S_ISUID) ? "set-user-ID root"
							       : "with capabilities");
		return DOCTOR_OK;
	}
	return DOCTOR_FAILURE;
}

/* What is wrong with a helper of vitrine itself: NULL if nothing. Owned by the caller. */
static char *helper_fault(const char *path, char **ret_mend)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		*ret_mend = xstrdup("sudo make install");
		return xasprintf("%s: %s", path, strerror(errno));
	}
	if ((st.st_mode & (S_ISUID | S_ISGID)) || has_file_capabilities(path)) {
		*ret_mend = xasprintf("sudo chmod u-s,g-s %s; sudo setcap -r %s", path, path);
		return xasprintf("%s must have no privilege of its own", path);
	}
	if (st.st_mode & S_IWOTH) {
		*ret_mend = xasprintf("sudo chmod o-w %s", path);
		return xasprintf("%s can be changed by everybody", path);
	}
	if (!S_ISREG(st.st_mode) || !(st.st_mode & S_IXOTH)) {
		*ret_mend = xstrdup("sudo make install");
		return xasprintf("%s is not a program", path);
	}
	return NULL;
}

enum doctor_result check_helpers(const struct check *c, const struct doctor_context *context,
				 char **ret_detail, char **ret_mend)
{
	(void)c;
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(helpers); i++) {
		_cleanup_free_ char *path = xasprintf(VITRINE_EXEC_DIR "/%s", helpers[i]);
		char *fault = helper_fault(path, ret_mend);

		if (fault) {
			*ret_detail = fault;
			return DOCTOR_FAILURE;
		}
	}
	*ret_detail = xstrdup("all in " VITRINE_EXEC_DIR ", without privileges");
	return DOCTOR_OK;
}

enum doctor_result check_filter(const struct check *c, const struct doctor_context *context,
				char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *data = NULL;
	struct filter filter;
	size_t size;

	(void)context;
	if (fs_read(AT_FDCWD, c->subject, FILTER_FILE_MAX, &data, &size, &error) >= 0 &&
	    filter_parse(data, size, &filter) >= 0) {
		*ret_detail = xasprintf("%s, %u programs", c->subject, filter.n);
		return DOCTOR_OK;
	}
	*ret_detail = error ? xstrdup(error->message)
			    : xasprintf("'%s' is not a compiled filter", c->subject);
	*ret_mend = xstrdup("sudo make install");
	return DOCTOR_FAILURE;
}

enum doctor_result check_program(const struct check *c, const struct doctor_context *context,
				 char **ret_detail, char **ret_mend)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(program_dirs); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", program_dirs[i], c->subject);
		struct stat st;

		if (stat(path, &st) == 0 && (st.st_mode & S_IXOTH)) {
			*ret_detail = TAKE_PTR(path);
			return DOCTOR_OK;
		}
	}
	*ret_detail = xasprintf("not installed: %s", c->purpose);
	*ret_mend = xasprintf("sudo apt install %s", c->subject);
	return DOCTOR_WARNING;
}

enum doctor_result check_image(const struct check *c, const struct doctor_context *context,
			       char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(image_release) struct image image = IMAGE_NONE;

	if (image_open(context->facts->home, c->subject, &image, &error) >= 0) {
		*ret_detail = xasprintf("generation %u, %s", image.manifest->generation,
					image.roots[0]);
		return DOCTOR_OK;
	}
	*ret_detail = xstrdup(error->message);
	*ret_mend = xasprintf("vitrine image build %s", c->subject);
	return DOCTOR_FAILURE;
}

enum doctor_result check_space(const struct check *c, const struct doctor_context *context,
			       char **ret_detail, char **ret_mend)
{
	const char *home = context->facts->home;
	uint64_t bytes;
	struct statvfs fs;

	(void)c;
	if (statvfs(home, &fs) < 0) {
		*ret_detail = xasprintf("'%s': %s", home, strerror(errno));
		*ret_mend = xasprintf("df %s", home);
		return DOCTOR_FAILURE;
	}
	bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	*ret_detail = xasprintf("%ju MiB free below %s", (uintmax_t)(bytes / MEBIBYTE), home);
	if (bytes >= SPACE_WANTED)
		return DOCTOR_OK;
	*ret_mend = xstrdup(
		"vitrine image list, then 'vitrine image rm NAME' for what is not needed");
	return DOCTOR_WARNING;
}

/* The service file is enough: the bus starts the portal when it is called. */
enum doctor_result check_portal(const struct check *c, const struct doctor_context *context,
				char **ret_detail, char **ret_mend)
{
	(void)context;
	for (size_t i = 0; i < ARRAY_SIZE(service_dirs); i++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", service_dirs[i], c->subject);
		struct stat st;

		if (stat(path, &st) == 0) {
			*ret_detail = xstrdup(
				"xdg-desktop-portal can be started by the session's bus");
			return DOCTOR_OK;
		}
	}
	*ret_detail = xasprintf("xdg-desktop-portal is not installed: %s", c->purpose);
	*ret_mend = xstrdup("sudo apt install xdg-desktop-portal xdg-desktop-portal-gtk");
	return DOCTOR_WARNING;
}

enum doctor_result check_denials(const struct check *c, const struct doctor_context *context,
				 char **ret_detail, char **ret_mend)
{
	_cleanup_free_ char *where = NULL;

	(void)c;
	(void)context;
	if (denials_are_readable(&where, ret_mend)) {
		*ret_detail = xasprintf("read from %s", where);
		return DOCTOR_OK;
	}
	*ret_detail = xstrdup(
		"you may not read the system's logs: 'vitrine logs --denials' cannot tell");
	return DOCTOR_WARNING;
}
