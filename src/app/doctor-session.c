#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "app/doctor-check.h"
#include "app/doctor-text.h"
#include "app/registry.h"
#include "base/fs.h"

#define CGROUP_ROOT	"/sys/fs/cgroup"
#define CGROUP_FILE_MAX 65536U

static bool is_own_directory(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == getuid();
}

enum doctor_result check_runtime_dir(const struct check *c, const struct doctor_context *context,
				     char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_close_ int fd = -EBADF;

	(void)c;
	if (runtime_open(&fd, &error) >= 0) {
		*ret_detail = xstrdup(context->runtime_dir);
		return DOCTOR_OK;
	}
	*ret_detail = xstrdup(error->message);
	*ret_mend = is_own_directory(context->runtime_dir)
			    ? xasprintf("chmod 0700 '%s'", context->runtime_dir)
			    : xasprintf("export XDG_RUNTIME_DIR=/run/user/%u",
					context->facts->host.uid);
	return DOCTOR_FAILURE;
}

/* 0 if somebody listens on this stream socket, or -errno; never waits. */
static int try_connect(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof address.sun_path)
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	if (connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
		return -errno;
	return 0;
}

/* Could this process move others into a cgroup below its own? */
static bool cgroup_is_ours(void)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *text = NULL, *own = NULL, *procs = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (fs_read(AT_FDCWD, "/proc/self/cgroup", CGROUP_FILE_MAX, &text, NULL, &ignored) < 0)
		return false;
	own = own_cgroup(text);
	if (!own)
		return false;
	procs = xasprintf(CGROUP_ROOT "%s/cgroup.procs", own);
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	return fd >= 0;
}

enum doctor_result check_cgroup(const struct check *c, const struct doctor_context *context,
				char **ret_detail, char **ret_mend)
{
	_cleanup_free_ char *manager = NULL;
	struct stat st;

	(void)c;
	manager = xasprintf("%s/systemd/private", context->runtime_dir ? context->runtime_dir : "");
	if (cgroup_is_ours()) {
		*ret_detail = xstrdup("this session may divide its own");
		return DOCTOR_OK;
	}
	if (stat(CGROUP_ROOT "/cgroup.controllers", &st) < 0) {
		*ret_detail = xstrdup(
			"no cgroup v2 here: limits on memory and processes are not enforced");
		*ret_mend = xstrdup("boot with 'systemd.unified_cgroup_hierarchy=1'");
		return DOCTOR_WARNING;
	}
	if (stat(manager, &st) == 0 && S_ISSOCK(st.st_mode)) {
		*ret_detail = xstrdup("the user's service manager hands them out");
		return DOCTOR_OK;
	}
	*ret_detail = xstrdup(
		"none is delegated to you: limits on memory and processes are not enforced");
	*ret_mend = xasprintf("sudo loginctl enable-linger %s, then log in again",
			      context->facts->user);
	return DOCTOR_WARNING;
}

/* The file with the cookie, owned by the caller (Xsecurity(7)). */
static char *cookie_path(const struct doctor_context *context)
{
	if (context->xauthority && *context->xauthority)
		return xstrdup(context->xauthority);
	return xasprintf("%s/.Xauthority", context->facts->home);
}

static enum doctor_result no_display(char *detail, const char *mend, char **ret_detail,
				     char **ret_mend)
{
	*ret_detail = detail;
	*ret_mend = xstrdup(mend);
	return DOCTOR_FAILURE;
}

enum doctor_result check_display(const struct check *c, const struct doctor_context *context,
				 char **ret_detail, char **ret_mend)
{
	static const char elsewhere[] = "run vitrine in a terminal of your desktop session";
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *socket_path = NULL, *cookie = cookie_path(context);
	_cleanup_close_ int fd = -EBADF;
	uint32_t number;
	int r;

	(void)c;
	if (!context->display || !*context->display)
		return no_display(xstrdup("DISPLAY is not set: windows cannot be shown"), elsewhere,
				  ret_detail, ret_mend);
	if (display_number(context->display, &number) < 0)
		return no_display(
			xasprintf("DISPLAY is '%s', which is not on this host", context->display),
			elsewhere, ret_detail, ret_mend);
	socket_path = xasprintf("/tmp/.X11-unix/X%u", number);
	r = try_connect(socket_path);
	if (r < 0)
		return no_display(
			xasprintf("no X server answers at '%s': %s", socket_path, strerror(-r)),
			elsewhere, ret_detail, ret_mend);
	if (fs_open_file(AT_FDCWD, cookie, &fd, &error) < 0)
		return no_display(
			xasprintf("the cookie of display :%u: %s", number, error->message),
			"export XAUTHORITY=FILE, with the file that your desktop session uses",
			ret_detail, ret_mend);
	*ret_detail = xasprintf(":%u, with the cookie in '%s'", number, cookie);
	return DOCTOR_OK;
}

enum doctor_result check_sound(const struct check *c, const struct doctor_context *context,
			       char **ret_detail, char **ret_mend)
{
	_cleanup_free_ char *path = pulse_socket(context->pulse_server, context->runtime_dir);
	int r;

	(void)c;
	if (!path) {
		*ret_detail = xstrdup("the sound server is not on this host: no sound is played");
		*ret_mend = xstrdup("unset PULSE_SERVER");
		return DOCTOR_WARNING;
	}
	r = try_connect(path);
	if (r >= 0) {
		*ret_detail = xasprintf("a sound server answers at '%s'", path);
		return DOCTOR_OK;
	}
	*ret_detail = xasprintf("no sound server answers at '%s': %s: no sound is played", path,
				strerror(-r));
	*ret_mend = xstrdup(
		"pulseaudio --start (or, with PipeWire: systemctl --user start pipewire-pulse)");
	return DOCTOR_WARNING;
}
