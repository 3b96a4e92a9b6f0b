#include "box/keep.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/copy.h"
#include "base/fs.h"
#include "base/text.h"
#include "plan/plan.h"

#define DEPTH_MAX 128U /* one that is deeper was refused when it was taken in */
#define SHOWN_MAX 200

static int fail(struct error **err, const char *what, const char *path)
{
	int code = errno;
	_cleanup_free_ char *shown = text_escape(path, SHOWN_MAX);

	errno = code;
	return error_errno(err, "%s '%s'", what, shown);
}

/* A directory of the user's, by a path without links. */
static int open_way(const char *path, int *ret_fd, struct error **err)
{
	int fd = fs_open_beneath(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
				 RESOLVE_NO_SYMLINKS, 0);

	if (fd < 0) {
		errno = -fd;
		return fail(err, "cannot open", path);
	}
	*ret_fd = fd;
	return 0;
}

/* --- directories that are kept ----------------------------------------------- */

/* The lock of the home is held (session/homes.h): nobody else makes one. */
static int make_new(int parent, const char *name, uint32_t owner, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (unlinkat(parent, KEPT_NEW, AT_REMOVEDIR) < 0 && errno != ENOENT)
		return fail(err, "cannot make anew", name);
	r = fs_make_dir(parent, KEPT_NEW, 0700, &fd, err);
	if (r < 0)
		return error_prefix(err, "files that are kept");
	if (fchmod(fd, 0700) < 0 || fchown(fd, owner, owner) < 0 ||
	    renameat(parent, KEPT_NEW, parent, name) < 0)
		return fail(err, "cannot make", name);
	return 0;
}

int keep_open(const char *path, uint32_t owner, int *ret_fd, struct error **err)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *way = xstrndup(path, (size_t)(slash - path));
	_cleanup_close_ int parent = -EBADF, fd = -EBADF;
	struct stat st;
	int r;

	r = open_way(way, &parent, err);
	if (r < 0)
		return r;
	if (fstatat(parent, slash + 1, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno != ENOENT)
			return fail(err, "cannot stat", path);
		r = make_new(parent, slash + 1, owner, err);
		if (r < 0)
			return r;
	}
	r = fs_open_dir(parent, slash + 1, &fd, err);
	if (r < 0)
		return error_prefix(err, "files that are kept");
	if (fstat(fd, &st) < 0)
		return fail(err, "cannot stat", path);
	if (st.st_uid != owner || st.st_gid != owner)
		return error_set(
			err, EUCLEAN,
			"files that are kept are damaged: '%s' does not belong to the ids of "
			"its home (was /etc/subuid changed?)",
			path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- copies ------------------------------------------------------------------ */

struct copy {
	uint32_t owner;
	dev_t device;
};

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int copy_failed(struct error **err, const char *name, int code)
{
	if (code == ENOSPC || code == EDQUOT)
		return error_set(
			err, ENOSPC,
			"no space left: the prepared home is larger than Disk= or Inodes= of "
			"the profile");
	errno = code;
	return fail(err, "cannot copy, of the prepared home,", name);
}

static int hand_over(const struct copy *c, int fd, const struct stat *st, const char *name,
		     struct error **err)
{
	const struct timespec times[] = { st->st_mtim, st->st_mtim };

	if (fchown(fd, c->owner, c->owner) < 0 || fchmod(fd, st->st_mode & 0777) < 0 ||
	    futimens(fd, times) < 0)
		return copy_failed(err, name, errno);
	return 0;
}

static int copy_file(const struct copy *c, int from, int to, const char *name, struct error **err)
{
	_cleanup_close_ int in = openat(from, name,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	_cleanup_close_ int out = -EBADF;
	struct stat st;
	int r;

	if (in < 0 || fstat(in, &st) < 0)
		return copy_failed(err, name, errno);
	if (!S_ISREG(st.st_mode))
		return copy_failed(err, name, ESTALE);
	out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out < 0)
		return copy_failed(err, name, errno);
	r = copy_all(in, out);
	return r < 0 ? copy_failed(err, name, -r) : hand_over(c, out, &st, name, err);
}

static int copy_link(const struct copy *c, int from, int to, const char *name, struct error **err)
{
	char target[PATH_MAX] = "";

	if (readlinkat(from, name, target, sizeof target - 1) < 0 ||
	    symlinkat(target, to, name) < 0 ||
	    fchownat(to, name, c->owner, c->owner, AT_SYMLINK_NOFOLLOW) < 0)
		return copy_failed(err, name, errno);
	return 0;
}

static int copy_entries(const struct copy *c, int from, int to, unsigned depth, struct error **err);

static int copy_dir(const struct copy *c, int from, int to, const char *name, unsigned depth,
		    struct error **err)
{
	_cleanup_close_ int in = -EBADF, out = -EBADF;
	struct stat st;
	int r;

	if (depth == DEPTH_MAX)
		return copy_failed(err, name, ELOOP);
	r = fs_open_dir(from, name, &in, err);
	if (r < 0)
		return r;
	if (fstat(in, &st) < 0)
		return copy_failed(err, name, errno);
	if (st.st_dev != c->device)
		return copy_failed(err, name, EXDEV);
	if (mkdirat(to, name, 0700) < 0)
		return copy_failed(err, name, errno);
	r = fs_open_dir(to, name, &out, err);
	if (r >= 0)
		r = copy_entries(c, in, out, depth + 1, err);
	return r < 0 ? r : hand_over(c, out, &st, name, err);
}

static int copy_entries(const struct copy *c, int from, int to, unsigned depth, struct error **err)
{
	int fd = fcntl(from, F_DUPFD_CLOEXEC, 3);
	_cleanup_(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (!d) {
		close_fd(fd);
		return copy_failed(err, ".", errno);
	}
	while (r >= 0 && (e = readdir(d))) {
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (fstatat(from, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return copy_failed(err, e->d_name, errno);
		if (S_ISDIR(st.st_mode))
			r = copy_dir(c, from, to, e->d_name, depth, err);
		else if (S_ISLNK(st.st_mode))
			r = copy_link(c, from, to, e->d_name, err);
		else if (S_ISREG(st.st_mode))
			r = copy_file(c, from, to, e->d_name, err);
	}
	return r;
}

int keep_copy(const char *path, int to, uint32_t owner, struct error **err)
{
	_cleanup_close_ int from = -EBADF;
	struct stat st;
	int r;

	r = open_way(path, &from, err);
	if (r < 0)
		return r;
	if (fstat(from, &st) < 0)
		return fail(err, "cannot stat", path);
	return copy_entries(&(struct copy){ .owner = owner, .device = st.st_dev }, from, to, 0,
			    err);
}
