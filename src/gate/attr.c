#include "gate/attr.h"

#define FUSE_USE_VERSION 314
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <sys/syscall.h>

#include "base/alloc.h"

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

#define PERMISSIONS 0777U /* set-id and sticky bits are not for a box to give */

bool attr_times(const struct stat *to, int what, struct timespec ret[2])
{
	const struct {
		int set, now;
		struct timespec to;
	} times[] = {
		{ FUSE_SET_ATTR_ATIME, FUSE_SET_ATTR_ATIME_NOW, to->st_atim },
		{ FUSE_SET_ATTR_MTIME, FUSE_SET_ATTR_MTIME_NOW, to->st_mtim },
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		ret[i] = (struct timespec){ .tv_nsec = UTIME_OMIT };
		if (what & times[i].now)
			ret[i].tv_nsec = UTIME_NOW;
		else if (what & times[i].set)
			ret[i] = times[i].to;
		any |= ret[i].tv_nsec != UTIME_OMIT;
	}
	return any;
}

int attr_change_fd(int fd, const struct stat *to, int what)
{
	struct timespec times[2];

	if (what & FUSE_SET_ATTR_MODE && fchmod(fd, to->st_mode & PERMISSIONS) < 0)
		return -errno;
	if (attr_times(to, what, times) && futimens(fd, times) < 0)
		return -errno;
	return 0;
}

/* For kernels before 6.6: only a file that may be opened can be changed without its name. */
static int change_mode_opened(int dirfd, const char *name, mode_t mode)
{
	static const int ways[] = { O_RDONLY, O_WRONLY };
	_cleanup_close_ int fd = -EBADF;

	for (size_t i = 0; i < ARRAY_SIZE(ways) && fd < 0; i++)
		fd = openat(dirfd, name, ways[i] | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 || fchmod(fd, mode) < 0 ? -errno : 0;
}

static int change_mode(int dirfd, const char *name, mode_t mode)
{
	if (syscall(SYS_fchmodat2, dirfd, name, mode, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	return errno == ENOSYS ? change_mode_opened(dirfd, name, mode) : -errno;
}

int attr_change_at(int dirfd, const char *name, const struct stat *to, int what)
{
	struct timespec times[2];

	if (what & FUSE_SET_ATTR_MODE) {
		int r = change_mode(dirfd, name, to->st_mode & PERMISSIONS);

		if (r < 0)
			return r;
	}
	if (attr_times(to, what, times) && utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return 0;
}
