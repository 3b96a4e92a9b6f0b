#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "box/walk-private.h"

/*
 * Nobody writes there any more, but whoever did may have made directories as deep as he liked: what
 * is deeper than DEPTH_MAX is moved up to the top, and removed from there in its turn.
 */
#define DEPTH_MAX 100U

struct removal {
	int top;
	uint64_t moved; /* names of what was moved up */
	dev_t device;
};

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int remove_all(struct removal *m, int fd, unsigned depth, struct error **err);

static int move_up(struct removal *m, int dir, const char *name, struct error **err)
{
	for (;;) {
		_cleanup_free_ char *to = xasprintf(".deep.%llu", (unsigned long long)m->moved++);

		if (renameat2(dir, name, m->top, to, RENAME_NOREPLACE) == 0)
			return 0;
		if (errno != EEXIST)
			return error_errno(err, "cannot remove a directory that is nested deeply");
	}
}

static int remove_dir(struct removal *m, int dir, const char *name, unsigned depth,
		      struct error **err)
{
	struct stat st;
	int fd, r;

	if (depth >= DEPTH_MAX)
		return move_up(m, dir, name, err);
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "cannot remove a directory");
	if (fstat(fd, &st) < 0 || st.st_dev != m->device) {
		close_fd(fd);
		return error_set(err, EXDEV, "something is mounted there: not removed");
	}
	r = remove_all(m, fd, depth + 1, err);
	if (r < 0)
		return r;
	if (unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return error_errno(err, "cannot remove a directory");
	return 0;
}

/* Takes the descriptor over. */
static int remove_all(struct removal *m, int fd, unsigned depth, struct error **err)
{
	_cleanup_(closedirp) DIR *d = fdopendir(fd);
	struct dirent *e;

	if (!d) {
		close_fd(fd);
		return error_errno(err, "cannot list a directory");
	}
	while ((e = readdir(d))) {
		int r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		if (errno != EISDIR && errno != EPERM)
			return error_errno(err, "cannot remove a file");
		r = remove_dir(m, dirfd(d), e->d_name, depth, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A directory to which something was moved up may have been read to its end already. */
static int empty(int fd, dev_t device, struct error **err)
{
	struct removal m = { .top = fd, .device = device };
	uint64_t before;
	int r;

	do {
		int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		before = m.moved;
		if (again < 0)
			return error_errno(err, "cannot open a directory");
		r = remove_all(&m, again, 0, err);
	} while (r >= 0 && m.moved != before);
	return r;
}

static int remove_root(const struct walk_root *root, const int *bases, struct error **err)
{
	const char *slash = strrchr(root->path, '/'), *name = slash ? slash + 1 : root->path;
	_cleanup_free_ char *parent = xstrndup(root->path,
					       slash ? (size_t)(slash - root->path) : 0);
	_cleanup_close_ int dir = walk_open_beneath(bases[root->base], parent,
						    O_RDONLY | O_DIRECTORY),
			    fd = -EBADF;
	struct stat st;
	int r;

	if (dir == -ENOENT)
		return 0;
	if (dir < 0)
		return error_set(err, -dir, "cannot open '%s': %s", parent, strerror(-dir));
	if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open '%s'", root->path);
	r = empty(fd, st.st_dev, err);
	if (r >= 0 && unlinkat(dir, name, AT_REMOVEDIR) < 0)
		return error_errno(err, "cannot remove '%s'", root->path);
	return r;
}

int walk_remove(const struct walk_order *o, const int *bases, struct error **err)
{
	for (size_t i = 0; i < o->n_roots; i++) {
		int r = remove_root(&o->roots[i], bases, err);

		if (r < 0)
			return r;
	}
	return 0;
}
