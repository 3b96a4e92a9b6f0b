#include "box/gate-mount.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <sys/ioctl.h>
#include <sys/mount.h>

#include "base/sock.h"

/* Options of fuse(4). Who may do what is for the server to say, which has the user's rights and
 * asks the kernel outside; so there is no default_permissions. */
static int configure(int fs, int fuse, struct error **err)
{
	_cleanup_free_ char *fd = xasprintf("%d", fuse);
	const struct {
		const char *name, *value;
	} options[] = {
		{ "fd", fd },
		{ "rootmode", "040000" },
		{ "user_id", "0" },
		{ "group_id", "0" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i].name, options[i].value, 0) < 0)
			return error_errno(err, "cannot configure the gate");
	if (fsconfig(fs, FSCONFIG_SET_FLAG, "allow_other", NULL, 0) < 0 ||
	    fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return error_errno(err, "cannot make the gate");
	return 0;
}

/* A second way to the same file system, with requests of its own (FUSE_DEV_IOC_CLONE): what waits
 * for an answer on one is answered with an error when that is closed, whoever still has the other.
 */
static int clone_device(int fuse, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	uint32_t from = (uint32_t)fuse;

	if (fd < 0 || ioctl(fd, FUSE_DEV_IOC_CLONE, &from) < 0)
		return error_errno(err, "cannot open the gate a second time");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int gate_mount(int at, int socket, struct error **err)
{
	/* Opened in the user namespace that mounts, which fuse demands. */
	_cleanup_close_ int fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC), fs = -EBADF,
			    mount_fd = -EBADF, clone = -EBADF;
	int r;

	if (fuse < 0)
		return error_errno(err, "cannot open /dev/fuse (modprobe fuse)");
	fs = fsopen("fuse", FSOPEN_CLOEXEC);
	if (fs < 0)
		return error_errno(err, "this kernel has no FUSE (modprobe fuse)");
	r = configure(fs, fuse, err);
	if (r < 0)
		return r;
	/* Whether programs run from it is said of each part that the box sees. */
	mount_fd = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (mount_fd < 0 ||
	    move_mount(mount_fd, "", at, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return error_errno(err, "cannot mount the gate");
	r = clone_device(fuse, &clone, err);
	if (r < 0)
		return r;
	r = sock_send(socket, "", 1, (const int[]){ fuse, clone }, 2, err);
	return r < 0 ? error_prefix(err, "the gate does not answer") : 0;
}
