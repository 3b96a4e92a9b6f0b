#include "session/delegation.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "session/cgroup.h"

bool manager_runs(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	_cleanup_free_ char *path = xasprintf("%s/systemd/private", runtime ? runtime : "");
	struct stat st;

	return lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == getuid();
}

/* What systemd gives to the manager of a user (user@.service(5)). */
static unsigned manager_controllers(const char *mount)
{
	_cleanup_free_ char *directory = xasprintf("%s/user.slice/user-%u.slice/user@%u.service",
						   mount, getuid(), getuid());
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (cgroup_open(directory, &fd, &ignored) < 0)
		return 0;
	return cgroup_controllers(fd, "cgroup.controllers");
}

static bool can_write(int fd, const char *const files[])
{
	for (; *files; files++)
		if (faccessat(fd, *files, W_OK, 0) < 0)
			return false;
	return true;
}

bool delegation_is_usable(int fd, unsigned *ret_set)
{
	static const char *const files[] = { ".", "cgroup.procs", "cgroup.subtree_control", NULL };

	*ret_set = cgroup_controllers(fd, "cgroup.controllers");
	return *ret_set && can_write(fd, files) && !cgroup_has_processes(fd);
}

/* The nearest group above that of this process. That one itself has a process, and so can have no
 * children with limits. */
static bool find_parent(char *directory, const char *mount, struct delegation *ret)
{
	size_t top = strlen(mount);

	for (char *slash; (slash = strrchr(directory, '/')) && (size_t)(slash - directory) > top;) {
		_cleanup_(error_freep) struct error *ignored = NULL;
		_cleanup_close_ int fd = -EBADF;

		*slash = '\0';
		if (cgroup_open(directory, &fd, &ignored) < 0 ||
		    !delegation_is_usable(fd, &ret->controllers))
			continue;
		ret->way = CGROUP_DELEGATED;
		ret->parent = xstrdup(directory);
		return true;
	}
	return false;
}

/* This process leaves its group and comes back. */
static bool owns(const char *directory, unsigned *ret_set)
{
	static const char *const files[] = { "cgroup.procs", NULL };
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_close_ int fd = -EBADF;

	if (cgroup_open(directory, &fd, &ignored) < 0)
		return false;
	*ret_set = cgroup_controllers(fd, "cgroup.controllers");
	return can_write(fd, files);
}

static void find_delegated(const char *mount, struct delegation *ret)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *own = NULL;
	unsigned set = 0;
	bool ours;

	ret->why = xstrdup("nobody has given you a control group");
	ret->mend = "sudo apt install libpam-systemd dbus-user-session, then log in again";
	if (cgroup_of(getpid(), &own, &ignored) < 0)
		return;
	ours = owns(own, &set);
	if (ours && set) {
		free(ret->why);
		ret->why = xasprintf("'%s' is yours, but this session is in it", own);
		ret->mend = "put the processes of your session into a group beneath it";
	}
	if (!ours || !find_parent(own, mount, ret))
		return;
	free(ret->why);
	ret->why = NULL;
}

void delegation_find(struct delegation *ret)
{
	const char *mount = cgroup_mount();

	*ret = (struct delegation){ .way = CGROUP_NONE };
	if (!mount) {
		ret->why = xstrdup("control groups of version 2 are not mounted");
		ret->mend = "boot with 'systemd.unified_cgroup_hierarchy=1'";
		return;
	}
	if (!manager_runs()) {
		find_delegated(mount, ret);
		return;
	}
	ret->controllers = manager_controllers(mount);
	if (ret->controllers) {
		ret->way = CGROUP_SYSTEMD;
		return;
	}
	ret->why = xstrdup("your service manager has no controllers of control groups");
	ret->mend = DELEGATION_RELOGIN;
}

void delegation_release(struct delegation *d)
{
	free(d->parent);
	free(d->why);
	*d = (struct delegation){ 0 };
}
