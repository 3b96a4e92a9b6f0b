#include "gate/confine.h"

#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/capabilities.h"
#include "base/fs.h"
#include "emit/filter.h"

static int write_proc(const char *path, const char *text, struct error **err)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open '%s'", path);
	return fs_write_all(fd, text, strlen(text), err);
}

/* A user namespace in which only this user is somebody: enough to make an empty root. */
static int enter_namespaces(struct error **err)
{
	_cleanup_free_ char *uid = xasprintf("%u %u 1", getuid(), getuid());
	_cleanup_free_ char *gid = xasprintf("%u %u 1", getgid(), getgid());
	const struct {
		const char *path, *text;
	} maps[] = {
		{ "/proc/self/setgroups", "deny" },
		{ "/proc/self/uid_map", uid },
		{ "/proc/self/gid_map", gid },
	};

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		return error_errno(err, "cannot make a user namespace (see 'vitrine doctor')");
	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		int r = write_proc(maps[i].path, maps[i].text, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* Descriptor of a tmpfs that has nothing in it and takes nothing, attached over the root. */
static int make_root(int *ret_fd, struct error **err)
{
	_cleanup_close_ int fs = fsopen("tmpfs", FSOPEN_CLOEXEC), fd = -EBADF;

	if (fs < 0 || fsconfig(fs, FSCONFIG_SET_STRING, "size", "4k", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0500", 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_errno(err, "cannot make an empty root");
	fd = fsmount(fs, FSMOUNT_CLOEXEC,
		     MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (fd < 0 || move_mount(fd, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return error_errno(err, "cannot mount an empty root");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int empty_root(struct error **err)
{
	_cleanup_close_ int root = -EBADF;
	int r;

	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return error_errno(err, "cannot have mounts of its own");
	r = make_root(&root, err);
	if (r < 0)
		return r;
	/* The new root is put in the place of the old one, which then lies on top of it and goes.
	 */
	if (fchdir(root) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 ||
	    umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return error_errno(err, "cannot leave the host's root");
	return 0;
}

/* Nothing of what passes through here is left in a file or can be looked at by others. */
static int close_windows(struct error **err)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, "cannot give up rights");
	return 0;
}

/* AppArmor's file of this process, while there still is a /proc; -EBADF where no profile of ours
 * confines it (apparmor/vitrine-programs). */
static int open_label(int *ret_fd, struct error **err)
{
	static const char path[] = "/proc/self/attr/apparmor/current", ours[] = "vitrine-gate (";
	_cleanup_close_ int fd = open(path, O_RDWR | O_CLOEXEC);
	char label[sizeof ours] = "";

	*ret_fd = -EBADF;
	if (fd < 0)
		return errno == ENOENT ? 0 : error_errno(err, "cannot open '%s'", path);
	/* EINVAL: this kernel has AppArmor, and it is off. What is written later must be at offset
	 * 0. */
	if (pread(fd, label, sizeof label - 1, 0) < 0 || strcmp(label, ours))
		return 0;
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* From the profile that can leave the host's root to the one that can only serve. Before
 * no_new_privs, which would hold it back. */
static int narrow_label(int fd, struct error **err)
{
	static const char order[] = "changeprofile vitrine-gate-serving";

	if (fd >= 0 && write(fd, order, strlen(order)) < 0)
		return error_errno(err, "cannot change to the AppArmor profile for serving");
	return 0;
}

int confine(int filter, struct error **err)
{
	_cleanup_close_ int label = -EBADF;
	int r;

	r = open_label(&label, err);
	if (r < 0)
		return r;
	r = enter_namespaces(err);
	if (r < 0)
		return r;
	r = empty_root(err);
	if (r < 0)
		return r;
	r = capabilities_drop(err);
	if (r < 0)
		return r;
	r = narrow_label(label, err);
	if (r < 0)
		return r;
	r = close_windows(err);
	if (r < 0)
		return r;
	r = filter_load(filter);
	if (r < 0)
		return error_set(err, -r, "cannot load the system call filter: %s", strerror(-r));
	return 0;
}
