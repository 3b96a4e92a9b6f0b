#include "profile/file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/ini.h"
#include "base/owner.h"
#include "profile/order.h"

#define OVERFLOW_ID 65534 /* how an id without a number of its own is shown */

/* Root of the host is nobody in a user namespace that does not map it, as that of
 * lxc-usernsexec(1). Then this program itself seems to be nobody's, and what was installed with it
 * is as good. */
static bool is_installed(const char *path, uid_t owner)
{
	struct stat program;

	return (host_path_covers(VITRINE_DATA_DIR, path) ||
		host_path_covers(VITRINE_CONF_DIR, path)) &&
	       owner == OVERFLOW_ID && stat("/proc/self/exe", &program) == 0 &&
	       program.st_uid == OVERFLOW_ID;
}

bool profile_is_of_root(const char *path, uid_t owner)
{
	return owner == 0 || is_installed(path, owner);
}

/* Who else could have written it? Asked of the open file, so the answer is about what is read. */
static int check_owner(int fd, const char *path, struct error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat '%s'", path);
	if (st.st_uid != getuid() && !profile_is_of_root(path, st.st_uid))
		return error_set(err, EPERM, "'%s' belongs to user %u, not to you or root", path,
				 st.st_uid);
	if (others_may_write(fd, &st))
		return error_set(err, EPERM, "'%s' may be written by others (mode %04o)", path,
				 st.st_mode & 07777);
	return 0;
}

int profile_read_file(int fd, const char *path, char **ret, size_t *ret_size, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	struct stat before, after;
	int r;

	r = check_owner(fd, path, err);
	if (r < 0)
		return r;
	if (fstat(fd, &before) < 0)
		return error_errno(err, "cannot stat '%s'", path);
	r = fs_read_fd(fd, INI_FILE_MAX, &text, ret_size, err);
	if (r < 0)
		return error_prefix(err, "'%s'", path);
	if (fstat(fd, &after) < 0)
		return error_errno(err, "cannot stat '%s'", path);
	if (before.st_size != after.st_size || before.st_mtim.tv_sec != after.st_mtim.tv_sec ||
	    before.st_mtim.tv_nsec != after.st_mtim.tv_nsec || (off_t)*ret_size != after.st_size)
		return error_set(err, EAGAIN, "'%s' was changed while it was read; try again",
				 path);
	*ret = TAKE_PTR(text);
	return 0;
}

int profile_open_dir(const char *path, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = fs_open_dir(AT_FDCWD, path, &fd, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return r;
	r = check_owner(fd, path, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 1;
}

int profile_list_open(const char *path, DIR **ret, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = profile_open_dir(path, &fd, err);
	if (r <= 0)
		return r;
	*ret = fdopendir(fd);
	if (!*ret)
		return error_errno(err, "cannot list '%s'", path);
	(void)TAKE_FD(fd); /* it is the stream's now */
	return 1;
}

bool profile_is_mask(int dirfd, const char *file)
{
	char target[sizeof "/dev/null"];
	ssize_t n = readlinkat(dirfd, file, target, sizeof target);

	return n == sizeof target - 1 && !memcmp(target, "/dev/null", sizeof target - 1);
}
