#include "gate/tree.h"

#define FUSE_USE_VERSION 314
#include <fcntl.h>
#include <fuse_lowlevel.h>

#include "gate/attr.h"
#include "gate/budget.h"
#include "gate/server.h"

#define OPEN_FLAGS (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

/* Something that is open leads to it whatever became of its name. */
static const struct handle *open_handle(const struct node *n, const struct handle *h)
{
	return h ? h : n->handles;
}

static const struct handle *writable_handle(const struct node *n, const struct handle *h)
{
	if (h)
		return h->writable ? h : NULL;
	for (h = n->handles; h && !h->writable; h = h->next)
		;
	return h;
}

int tree_stat(struct server *s, struct node *n, const struct handle *h, struct stat *ret)
{
	struct spot p;
	int r;

	h = open_handle(n, h);
	if (h)
		return fstat(h->fd, ret) < 0 ? -errno : 0;
	if (!n->parent && n->data) {
		*ret = *(const struct stat *)n->data;
		return 0;
	}
	r = spot_of(s, n, SPOT_LOOK, &p);
	if (r < 0)
		return r;
	r = spot_stat(&p, ret);
	if (r < 0)
		return r;
	return tree_is_same(n, ret) ? 0 : -ESTALE;
}

/* Not a FIFO that has come to the name, and not another file: -ESTALE, and the kernel looks again.
 */
static int verify(const struct node *n, int fd, struct stat *ret)
{
	if (fstat(fd, ret) < 0)
		return -errno;
	return S_ISREG(ret->st_mode) && tree_is_same(n, ret) ? 0 : -ESTALE;
}

/* Of a file with this size before. */
static int resize(struct grant *g, int fd, uint64_t before, uint64_t after)
{
	int r;

	if (after > before) {
		r = budget_take(g, after - before);
		if (r < 0)
			return r;
	}
	if (ftruncate(fd, (off_t)after) < 0) {
		r = -errno;
		if (after > before)
			budget_give_back(g, after - before);
		return r;
	}
	if (after < before)
		budget_give_back(g, before - after);
	return 0;
}

/* What is open inside and has no name any more can be opened again (/proc/PID/fd there). */
static int open_again(const struct node *n, int flags, int *ret)
{
	for (const struct handle *h = n->handles; h; h = h->next) {
		int mode = fcntl(h->fd, F_GETFL) & O_ACCMODE;

		if (mode != O_RDWR && mode != (flags & O_ACCMODE))
			continue;
		*ret = fcntl(h->fd, F_DUPFD_CLOEXEC, 0);
		return *ret < 0 ? -errno : 0;
	}
	return -ENOENT;
}

static int open_name(struct server *s, const struct node *n, int flags, int *ret)
{
	struct spot p;
	int r;

	r = spot_of(s, n, (flags & O_ACCMODE) == O_RDONLY ? SPOT_LOOK : SPOT_CHANGE, &p);
	if (r < 0)
		return r;
	*ret = openat(p.dir, p.name, (flags & (O_ACCMODE | O_SYNC | O_DSYNC)) | OPEN_FLAGS);
	if (*ret < 0)
		return errno == ELOOP || errno == ENXIO ? -ESTALE : -errno;
	return 0;
}

/* O_TRUNC, also of who opens it only for reading: that it may be written is another question. */
static int empty(struct server *s, const struct node *n, int fd, int flags, const struct stat *st)
{
	_cleanup_close_ int writable = -EBADF;
	struct stat same;
	int r;

	if ((flags & O_ACCMODE) != O_RDONLY)
		return resize(n->grant, fd, (uint64_t)st->st_size, 0);
	r = n->parent ? open_name(s, n, O_WRONLY, &writable) : open_again(n, O_WRONLY, &writable);
	if (r == 0)
		r = verify(n, writable, &same);
	return r < 0 ? r : resize(n->grant, writable, (uint64_t)same.st_size, 0);
}

int tree_open(struct server *s, struct node *n, int flags, struct handle *ret)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	r = n->parent ? open_name(s, n, flags, &fd) : open_again(n, flags, &fd);
	if (r < 0)
		return r;
	r = verify(n, fd, &st);
	if (r < 0)
		return r;
	/* Only now that it is known to be the right one. */
	r = flags & O_TRUNC ? empty(s, n, fd, flags, &st) : 0;
	if (r < 0)
		return r;
	ret->fd = TAKE_FD(fd);
	return 0;
}

static int change_size(struct server *s, struct node *n, const struct handle *h, off_t size)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	if (!n->grant->writable)
		return -EROFS;
	/* truncate(2) asks whether it may be written, ftruncate(2) who has it open. */
	if (h || !n->parent)
		h = writable_handle(n, h);
	if (!h) {
		r = open_name(s, n, O_WRONLY, &fd);
		if (r < 0)
			return r;
	}
	r = verify(n, h ? h->fd : fd, &st);
	if (r < 0)
		return r;
	return resize(n->grant, h ? h->fd : fd, (uint64_t)st.st_size, (uint64_t)size);
}

int tree_change(struct server *s, struct node *n, struct handle *h, const struct stat *to, int what)
{
	struct spot p;
	const struct handle *open = open_handle(n, h);
	struct stat st;
	int r;

	if (!n->grant->writable)
		return -EROFS;
	if (what & FUSE_SET_ATTR_SIZE) {
		r = change_size(s, n, h, to->st_size);
		if (r < 0)
			return r;
	}
	if (open)
		return attr_change_fd(open->fd, to, what);
	if (!(what & ~FUSE_SET_ATTR_SIZE))
		return 0;
	r = spot_of(s, n, SPOT_CHANGE, &p);
	if (r < 0)
		return r;
	r = spot_stat(&p, &st);
	if (r < 0)
		return r;
	return tree_is_same(n, &st) ? attr_change_at(p.dir, p.name, to, what) : -ESTALE;
}

int tree_access(struct server *s, struct node *n, int mask)
{
	struct spot p;
	int r;

	r = spot_of(s, n, mask & W_OK ? SPOT_CHANGE : SPOT_LOOK, &p);
	if (r == -ENOENT && n->handles)
		return faccessat(n->handles->fd, "", mask, AT_EMPTY_PATH) < 0 ? -errno : 0;
	if (r < 0)
		return r;
	return faccessat(p.dir, p.name, mask, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

int tree_readlink(struct server *s, struct node *n, char *ret, size_t size)
{
	struct spot p;
	ssize_t length;
	int r;

	r = spot_of(s, n, SPOT_LOOK, &p);
	if (r < 0)
		return r;
	length = readlinkat(p.dir, p.name, ret, size);
	if (length < 0)
		return errno == EINVAL ? -ESTALE : -errno;
	if ((size_t)length >= size)
		return -ENAMETOOLONG;
	ret[length] = '\0';
	return 0;
}

int tree_sync(struct server *s, struct node *dir)
{
	struct spot p;
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = spot_of(s, dir, SPOT_LOOK, &p);
	if (r < 0)
		return r;
	fd = openat(p.dir, p.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int tree_grow(struct server *s, struct handle *h, uint64_t size)
{
	(void)s;
	return budget_take(h->node->grant, size);
}

void tree_forget(struct server *s, struct node *n)
{
	(void)s;
	free(n->data);
}
