/*
 * A given file, or a private one. Its content is a descriptor: no name outside is ever opened. What
 * has no content any more is -ESTALE, so that the kernel looks what has the name now, or makes it.
 */

#define FUSE_USE_VERSION 314
#include <fcntl.h>
#include <fuse_lowlevel.h>

#include "gate/attr.h"
#include "gate/slot.h"

static int file_stat(struct server *s, struct node *n, const struct handle *h, struct stat *ret)
{
	struct slot l = { 0 };
	int fd = slot_node_fd(s, n, h);

	if (fd < 0)
		return -ESTALE;
	if (fstat(fd, ret) < 0)
		return -errno;
	/* The names that it has inside, as far as they differ from those outside. */
	if (!n->parent)
		ret->st_nlink = 0;
	else if (slot_of(s, n, &l) == 0 && l.private)
		ret->st_nlink = 1;
	return 0;
}

static bool is_writable(const struct node *n)
{
	return !n->grant || n->grant->writable;
}

static int file_access(struct server *s, struct node *n, int mask)
{
	struct stat st;
	int fd = slot_node_fd(s, n, NULL);

	if (fd < 0 || fstat(fd, &st) < 0)
		return -ESTALE;
	if (mask & W_OK && !is_writable(n))
		return -EROFS;
	return mask & X_OK && !(st.st_mode & 0111) ? -EACCES : 0;
}

/* A duplicate is as good as a file opened again: nothing here uses its offset. */
static int file_open(struct server *s, struct node *n, int flags, struct handle *ret)
{
	int fd = slot_node_fd(s, n, NULL);

	if (fd < 0)
		return -ESTALE;
	if (((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC) && !is_writable(n))
		return -EROFS;
	if (flags & O_TRUNC && ftruncate(fd, 0) < 0)
		return -errno;
	ret->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	return ret->fd < 0 ? -errno : 0;
}

static int file_change(struct server *s, struct node *n, struct handle *h, const struct stat *to,
		       int what)
{
	int fd = slot_node_fd(s, n, h);

	if (fd < 0)
		return -ESTALE;
	if (!is_writable(n))
		return -EROFS;
	if (what & FUSE_SET_ATTR_SIZE && ftruncate(fd, to->st_size) < 0)
		return -errno;
	return attr_change_fd(fd, to, what);
}

/* A private file at the place of a given one becomes that one. */
static int file_flush(struct server *s, struct handle *h)
{
	struct node *n = h->node;
	struct slot l;
	int r;

	if (slot_of(s, n, &l) < 0 || !l.private || !l.grant)
		return 0;
	r = slot_commit(s, l.grant, l.private, n);
	if (r == 0)
		server_say_opened(s, n, true);
	/* Somebody else has made a file of this name. It is theirs, also when this one is closed
	 * for a second time (a child has it, too) before the supervisor's word of it comes. */
	if (r == -EEXIST) {
		private_drop(s, l.private, true);
		node_unlink(s, n);
	}
	return r;
}

const struct kind kind_file = {
	.stat = file_stat,
	.change = file_change,
	.access = file_access,
	.open = file_open,
	.flush = file_flush,
};
