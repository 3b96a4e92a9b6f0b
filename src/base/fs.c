#include "base/fs.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/buf.h"

#define TREE_DEPTH_MAX 256

int fs_open_dir(int dirfd, const char *name, int *ret_fd, struct error **err)
{
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return error_errno(err, "cannot open directory '%s'", name);
	*ret_fd = fd;
	return 0;
}

int fs_make_dir(int dirfd, const char *name, mode_t mode, int *ret_fd, struct error **err)
{
	if (mkdirat(dirfd, name, mode) < 0 && errno != EEXIST)
		return error_errno(err, "cannot make directory '%s'", name);
	return fs_open_dir(dirfd, name, ret_fd, err);
}

int fs_make_path(const char *path, mode_t mode, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(path);
	_cleanup_close_ int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *state, *part;

	if (*path != '/')
		return error_set(err, EINVAL, "'%s' is not an absolute path", path);
	for (part = strtok_r(copy, "/", &state); part; part = strtok_r(NULL, "/", &state)) {
		int next;

		if (mkdirat(fd, part, mode) < 0 && errno != EEXIST)
			return error_errno(err, "cannot make '%s' of '%s'", part, path);
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (next < 0 && errno == EACCES)
			next = openat(fd, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (next < 0)
			return error_errno(err, "cannot open '%s' of '%s'", part, path);
		close_fd(fd);
		fd = next;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int fs_open_beneath(int dirfd, const char *path, int flags, uint64_t resolve, mode_t mode)
{
	const struct open_how how = {
		.flags = (uint64_t)(unsigned)flags | O_CLOEXEC,
		/* openat2(2) refuses a mode that would not be used. */
		.mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0,
		.resolve = resolve,
	};
	int fd = (int)syscall(SYS_openat2, dirfd, path, &how, sizeof how);

	return fd < 0 ? -errno : fd;
}

bool fs_is_same(int a, int b)
{
	struct stat st[2];

	return fstat(a, &st[0]) == 0 && fstat(b, &st[1]) == 0 && st[0].st_dev == st[1].st_dev &&
	       st[0].st_ino == st[1].st_ino;
}

int fs_open_file(int dirfd, const char *name, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = openat(dirfd, name,
					O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return error_set(
			err, ELOOP,
			"cannot open '%s': it is a symbolic link; put the file itself there", name);
	if (fd < 0)
		return error_errno(err, "cannot open '%s'", name);
	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat '%s'", name);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "'%s' is not a regular file", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int fs_read_fd(int fd, size_t limit, char **ret, size_t *ret_size, struct error **err)
{
	_cleanup_buf_ struct buf text = { 0 };
	char chunk[4096];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read");
		if (n == 0)
			break;
		if (text.size + (size_t)n > limit)
			return error_set(err, EFBIG, "larger than %zu bytes", limit);
		buf_add(&text, chunk, (size_t)n);
	}
	if (ret_size)
		*ret_size = text.size;
	*ret = buf_take(&text);
	return 0;
}

int fs_read(int dirfd, const char *name, size_t limit, char **ret, size_t *ret_size,
	    struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = fs_open_file(dirfd, name, &fd, err);
	if (r < 0)
		return r;
	r = fs_read_fd(fd, limit, ret, ret_size, err);
	if (r < 0)
		return error_prefix(err, "'%s'", name);
	return 0;
}

int fs_write_all(int fd, const void *data, size_t size, struct error **err)
{
	const char *p = data;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot write");
		p += n;
		size -= (size_t)n;
	}
	return 0;
}

int fs_write(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
	     struct error **err)
{
	_cleanup_free_ char *temporary = xasprintf(".%s.%d.new", name, getpid());
	_cleanup_close_ int fd = -EBADF;
	int r;

	(void)unlinkat(dirfd, temporary, 0); /* of a process with our pid that was killed */
	fd = openat(dirfd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return error_errno(err, "cannot write '%s'", name);
	r = fs_write_all(fd, data, size, err);
	if (r < 0)
		r = error_prefix(err, "'%s'", name);
	else if (fchmod(fd, mode) < 0 || renameat(dirfd, temporary, dirfd, name) < 0)
		r = error_errno(err, "cannot write '%s'", name);
	if (r < 0)
		(void)unlinkat(dirfd, temporary, 0);
	return r;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int remove_entry(int dirfd, const char *name, dev_t device, unsigned depth,
			struct error **err);

static int remove_children(int fd, const char *name, dev_t device, unsigned depth,
			   struct error **err)
{
	_cleanup_(closedirp) DIR *d = fdopendir(fd);
	struct dirent *e;
	int r;

	if (!d) {
		close_fd(fd);
		return error_errno(err, "cannot list '%s'", name);
	}
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		r = remove_entry(dirfd(d), e->d_name, device, depth + 1, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int remove_entry(int parent, const char *name, dev_t device, unsigned depth,
			struct error **err)
{
	struct stat st;
	int fd, r;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return error_errno(err, "cannot remove '%s'", name);
	if (depth > TREE_DEPTH_MAX)
		return error_set(err, ELOOP, "cannot remove '%s': nested too deeply", name);

	/* A directory without permission bits would be in the way; nothing but a directory is
	 * changed. */
	(void)fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW);
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot remove '%s'", name);
	if (fstat(fd, &st) < 0 || st.st_dev != device) {
		close_fd(fd);
		return error_set(err, EXDEV, "'%s' is on another file system: not removed", name);
	}
	r = remove_children(fd, name, device, depth, err);
	if (r < 0)
		return r;
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s'", name);
	return 0;
}

int fs_remove_tree(int dirfd, const char *name, struct error **err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_errno(err, "cannot stat '%s'", name);
	return remove_entry(dirfd, name, st.st_dev, 0, err);
}

int fs_memfd(const char *name, const void *data, size_t size, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r;

	if (fd < 0)
		return error_errno(err, "cannot make a memory file");
	r = fs_write_all(fd, data, size, err);
	if (r < 0)
		return r;
	if (lseek(fd, 0, SEEK_SET) < 0 ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		return error_errno(err, "cannot seal a memory file");
	*ret_fd = TAKE_FD(fd);
	return 0;
}
