#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "app/doctor-check.h"
#include "app/doctor-text.h"
#include "app/registry.h"
#include "base/fs.h"
#include "session/cgroup.h"
#include "session/delegation.h"
#include "session/scope.h"

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

/* In the child: nothing but to be somewhere. */
static _Noreturn void wait_for_ever(void)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		(void)pause();
}

/* What a scope of the user's service manager really has. */
static int probe_scope(pid_t pid, unsigned *ret_set, struct error **err)
{
	_cleanup_free_ char *name = xasprintf("vitrine-doctor-%d.scope", pid), *group = NULL;
	_cleanup_(scope_freep) struct scope *scope = NULL;
	_cleanup_close_ int fd = -EBADF;
	const pid_t pids[] = { pid, 0 };
	const struct scope_request q = {
		.name = name, .description = "vitrine doctor", .delegate = true, .pids = pids
	};
	int r;

	r = scope_new(&scope, err);
	if (r >= 0)
		r = scope_ask(scope, &q, err);
	if (r >= 0)
		r = scope_await(scope, err);
	if (r >= 0)
		r = cgroup_of(pid, &group, err);
	if (r >= 0)
		r = cgroup_open(group, &fd, err);
	if (r >= 0)
		*ret_set = cgroup_controllers(fd, "cgroup.controllers");
	return r;
}

static int probe_manager(unsigned *ret_set, struct error **err)
{
	pid_t pid = fork();
	int r;

	if (pid < 0)
		return error_errno(err, "cannot start a process");
	if (pid == 0)
		wait_for_ever();
	r = probe_scope(pid, ret_set, err);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	return r;
}

enum doctor_result check_cgroup(const struct check *c, const struct doctor_context *context,
				char **ret_detail, char **ret_mend)
{
	static const char *const givers[CGROUP_WAY_MAX] = {
		[CGROUP_SYSTEMD] = "your service manager",
		[CGROUP_DELEGATED] = "an administrator",
	};
	const struct delegation *d = &context->facts->delegation;
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *has = NULL, *lacks = NULL;
	unsigned set = d->controllers;

	(void)c;
	if (d->way == CGROUP_SYSTEMD && probe_manager(&set, &error) < 0) {
		*ret_detail = xasprintf("%s: applications cannot be started", error->message);
		*ret_mend = xstrdup("systemctl --user status; journalctl --user");
		return DOCTOR_FAILURE;
	}
	has = limits_to_string(set);
	lacks = limits_to_string(LIMITS_ALL & ~set);
	if (d->way == CGROUP_NONE) {
		*ret_detail = xasprintf("%s: limits on memory, tasks, cpu and io are not enforced",
					d->why);
		*ret_mend = xstrdup(d->mend);
		return DOCTOR_WARNING;
	}
	if (set == LIMITS_ALL) {
		*ret_detail = xasprintf("given by %s: %s", givers[d->way], has);
		return DOCTOR_OK;
	}
	*ret_detail = xasprintf("given by %s: %s; limits on %s are not enforced", givers[d->way],
				has, lacks);
	*ret_mend = xstrdup(d->way == CGROUP_SYSTEMD ? DELEGATION_RELOGIN
						     : "ask the administrator for these too");
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
