#include "session/given.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/text.h"
#include "session/walk.h"

static int refuse(struct error **err, int code, const char *path, const char *why)
{
	_cleanup_free_ char *shown = text_escape(path, strlen(path));

	return error_set(err, code, "'%s' %s", shown, why);
}

static int fail(struct error **err, const char *path)
{
	int code = errno;
	_cleanup_free_ char *shown = text_escape(path, strlen(path));

	errno = code;
	return error_errno(err, "cannot open '%s'", shown);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       (a->st_mode & S_IFMT) == (b->st_mode & S_IFMT);
}

static bool has_name(int parent, const char *name, int fd)
{
	struct stat there, it;

	return fstatat(parent, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && fstat(fd, &it) == 0 &&
	       is_same(&there, &it);
}

/* The kernel marks the path of what was removed by more text, which could also be a name: a path is
 * believed only if it leads back, without a link. */
static int real_path(int dir, char **ret, struct error **err)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", dir);
	_cleanup_close_ int again = -EBADF;
	char path[PATH_MAX] = "";
	struct stat here, there;

	if (readlink(link, path, sizeof path - 1) < 0)
		return error_errno(err, "cannot find out where a directory lies");
	again = fs_open_beneath(AT_FDCWD, path, O_PATH | O_DIRECTORY, RESOLVE_NO_SYMLINKS, 0);
	if (again < 0 && again != -ENOENT && again != -ENOTDIR && again != -ELOOP) {
		errno = -again;
		return fail(err, path);
	}
	if (again < 0 || fstat(dir, &here) < 0 || fstat(again, &there) < 0 ||
	    !is_same(&here, &there))
		return refuse(err, ESTALE, path, "was moved or removed meanwhile");
	*ret = xstrdup(path);
	return 0;
}

static int set_path(struct given *g, struct error **err)
{
	_cleanup_free_ char *dir = NULL;
	int r;

	r = real_path(g->parent, &dir, err);
	if (r < 0)
		return r;
	g->path = xasprintf("%s/%s", strcmp(dir, "/") ? dir : "", g->name);
	return 0;
}

/* May what was opened be given? */
static int check(struct given *g, const struct protection *p, struct error **err)
{
	struct stat st = { 0 };
	int r;

	r = set_path(g, err);
	if (r < 0)
		return r;
	if (g->fd >= 0 && fstat(g->fd, &st) < 0)
		return fail(err, g->path);
	g->directory = S_ISDIR(st.st_mode);
	r = protected_check(p, g->path, g->directory, err);
	if (r < 0)
		return r;
	if (g->fd >= 0 && !g->directory && !S_ISREG(st.st_mode))
		return refuse(err, EINVAL, g->path, "is neither a file nor a directory");
	r = walk_is_kernels(g->fd >= 0 ? g->fd : g->parent);
	if (r < 0) {
		errno = -r;
		return fail(err, g->path);
	}
	return r ? refuse(err, EPERM, g->path, "belongs to the kernel: copy what is needed of it")
		 : 0;
}

/* For "/", "." and "..": the same directory by its name. */
static int walk_by_name(struct walk *w, const struct protection *p, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = real_path(w->parent, &path, err);
	if (r < 0)
		return r;
	walk_release(w);
	if (!strcmp(path, "/"))
		return protected_check(p, path, true, err);
	r = walk_path(path, w, err);
	return r < 0 || w->name ? r : refuse(err, ESTALE, path, "was moved meanwhile");
}

int given_open(const char *path, bool missing, const struct protection *p, struct given *ret,
	       struct error **err)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	_cleanup_(walk_release) struct walk w = WALK_NONE;
	int r;

	r = walk_path(path, &w, err);
	if (r >= 0 && !w.name)
		r = walk_by_name(&w, p, err);
	if (r < 0)
		return r;
	if (w.fd < 0 && !missing)
		return refuse(err, ENOENT, path, "does not exist");
	g.parent = TAKE_FD(w.parent);
	g.name = TAKE_PTR(w.name);
	g.fd = TAKE_FD(w.fd);
	r = check(&g, p, err);
	if (r < 0)
		return r;
	*ret = g;
	g = GIVEN_NONE;
	return 0;
}

static bool is_name(const char *name)
{
	return *name && strlen(name) <= NAME_MAX && !strchr(name, '/') && strcmp(name, ".") &&
	       strcmp(name, "..");
}

/* What has the name is opened here, in the way that is wanted; what was sent only says what that
 * must be. */
static int open_received(struct given *g, int sent, struct error **err)
{
	struct stat st;

	if (!is_name(g->name))
		return refuse(err, EINVAL, g->name, "is not a file's name");
	if (fstat(g->parent, &st) < 0 || !S_ISDIR(st.st_mode))
		return refuse(err, ENOTDIR, g->name, "came without its directory");
	g->fd = openat(g->parent, g->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (g->fd < 0 && (errno != ENOENT || sent >= 0))
		return fail(err, g->name);
	if (g->fd >= 0 && (sent < 0 || !has_name(g->parent, g->name, sent)))
		return refuse(err, ESTALE, g->name, "is another file meanwhile");
	return 0;
}

int given_receive(int parent, int fd, const char *name, const struct protection *p,
		  struct given *ret, struct error **err)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	_cleanup_close_ int sent = fd;
	int r;

	g.parent = parent;
	g.name = xstrdup(name);
	r = open_received(&g, sent, err);
	if (r >= 0)
		r = check(&g, p, err);
	if (r < 0)
		return r;
	*ret = g;
	g = GIVEN_NONE;
	return 0;
}

/* By /proc, the descriptor is opened that is held: what a name leads to could be another file by
 * now, or something that acts when it is only opened (a FIFO, a device). */
static int reopen_file(const struct given *g, bool writable, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", g->fd);
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (fstat(g->fd, &st) < 0)
		return fail(err, g->path);
	if (!S_ISREG(st.st_mode))
		return refuse(err, EINVAL, g->path, "is not a regular file");
	fd = open(link, (writable ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return fail(err, g->path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int given_reopen(const struct given *g, bool writable, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r = 0;

	if (g->fd < 0)
		return refuse(err, ENOENT, g->path, "does not exist");
	if (g->directory) {
		fd = fcntl(g->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return fail(err, g->path);
	} else {
		r = reopen_file(g, writable, &fd, err);
		if (r < 0)
			return r;
	}
	/* Who writes to a file that was replaced would write to nowhere. */
	if (!has_name(g->parent, g->name, g->fd))
		return refuse(err, ESTALE, g->path, "was replaced or removed meanwhile");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

void given_release(struct given *g)
{
	close_fd(g->parent);
	close_fd(g->fd);
	free(g->name);
	free(g->path);
	*g = GIVEN_NONE;
}
