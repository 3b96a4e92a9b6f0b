/* Open files. Reading and writing need nothing but the descriptor, wherever the file is by now. */

#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "gate/budget.h"
#include "gate/request.h"

#define SETTLED_S 2 /* file systems have times as coarse as that */

static struct handle *handle_new(struct server *s, struct node *n, int fd, int flags)
{
	struct handle *h = xcalloc(1, sizeof *h);

	h->fd = fd;
	h->node = n;
	h->writable = (flags & O_ACCMODE) != O_RDONLY;
	h->append = flags & O_APPEND;
	h->next = n->handles;
	n->handles = h;
	h->id = table_add(&s->handles, h);
	s->n_handles++;
	return h;
}

/* What an unlinked file gives back comes with its end. */
static void settle_budget(const struct handle *h)
{
	struct node *n = h->node;
	struct stat st;

	if (n->parent || !budget_counts(n->grant) || n->handles != h || h->next)
		return;
	if (fstat(h->fd, &st) == 0 && st.st_nlink == 0)
		budget_give_back(n->grant, (uint64_t)st.st_size);
}

void handle_free(struct server *s, struct handle *h)
{
	struct node *n = h->node;
	struct handle **at = &n->handles;

	settle_budget(h);
	while (*at != h)
		at = &(*at)->next;
	*at = h->next;
	table_remove(&s->handles, h->id);
	s->n_handles--;
	close_fd(h->fd);
	free(h);
	if (!n->handles && n->kind->closed)
		n->kind->closed(s, n);
	node_release(s, n);
}

static bool is_same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

/* The kernel keeps the pages that it has of this file if it cannot have changed since they were
 * read; its own check knows sizes and modification times only, which can be set. */
static bool may_keep_pages(struct node *n, const struct stat *st)
{
	bool same = is_same_time(n->changed, st->st_ctim);
	struct timespec now;

	n->changed = st->st_ctim;
	return same && clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 &&
	       now.tv_sec - st->st_ctim.tv_sec > SETTLED_S;
}

/* What the kernel believes of a file that was changed outside must not be what a program reads it
 * by: it asks again before the first read. */
static void check_belief(struct server *s, struct node *n, const struct stat *st)
{
	if (n->was_told && !is_same_time(n->told, st->st_ctim))
		(void)fuse_lowlevel_notify_inval_inode(s->session, n->id, -1, 0);
	n->told = st->st_ctim;
}

static void opened(struct server *s, struct handle *h, const struct stat *st,
		   struct fuse_file_info *fi)
{
	fi->fh = h->id;
	fi->keep_cache = may_keep_pages(h->node, st);
	fi->noflush = !h->writable || !h->node->kind->flush;
	server_say_opened(s, h->node, h->writable);
}

static int check_open(const struct server *s)
{
	if (s->ending)
		return -EIO;
	return s->n_handles < s->handles_max ? 0 : -ENFILE;
}

static int open_node(struct server *s, struct node *n, int flags, int *ret, struct stat *st)
{
	struct handle h = { .fd = -EBADF };
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!n->kind->open)
		return -EISDIR;
	r = n->kind->open(s, n, flags, &h);
	if (r < 0)
		return r;
	fd = h.fd;
	if (fstat(fd, st) < 0)
		return -errno;
	check_belief(s, n, st);
	*ret = TAKE_FD(fd);
	return 0;
}

void request_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = request_server(req);
	struct handle *h;
	struct node *n;
	struct stat st;
	int fd = -EBADF, r = request_node(req, ino, &n);

	if (r == 0)
		r = check_open(s);
	if (r == 0)
		r = open_node(s, n, fi->flags, &fd, &st);
	if (r < 0) {
		(void)fuse_reply_err(req, -r);
		return;
	}
	h = handle_new(s, n, fd, fi->flags);
	opened(s, h, &st, fi);
	if (fuse_reply_open(req, fi) < 0)
		handle_free(s, h);
}

static int create(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, int flags,
		  struct node **ret, struct handle *ret_handle)
{
	struct server *s = request_server(req);
	struct node *dir;
	int r = request_name(req, ino, name, &dir);

	s->seen.of = NULL;
	if (r == 0)
		r = check_open(s);
	if (r < 0)
		return r;
	if (!dir->kind->create)
		return -EROFS;
	return dir->kind->create(s, dir, name, mode & 0777, flags, ret, ret_handle);
}

void request_create(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode,
		    struct fuse_file_info *fi)
{
	struct server *s = request_server(req);
	struct handle h = { .fd = -EBADF }, *kept;
	struct fuse_entry_param e;
	struct node *n = NULL;
	struct stat st = { 0 };
	int r = create(req, ino, name, mode, fi->flags, &n, &h);

	if (r < 0) {
		(void)fuse_reply_err(req, -r);
		return;
	}
	kept = handle_new(s, n, h.fd, fi->flags);
	(void)fstat(h.fd, &st); /* or it is taken as changed */
	opened(s, kept, &st, fi);
	r = request_entry(s, 0, n, &e);
	if (r < 0) {
		(void)fuse_reply_err(req, -r);
		handle_free(s, kept);
	} else if (fuse_reply_create(req, &e, fi) < 0) {
		n->lookups--;
		handle_free(s, kept);
	}
}

/* Files only: what else there is has no business in the user's directories. */
void request_mknod(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode, dev_t device)
{
	struct server *s = request_server(req);
	struct handle h = { .fd = -EBADF }, *kept;
	struct fuse_entry_param e;
	struct node *n = NULL;
	int r;

	(void)device;
	r = S_ISREG(mode) ? create(req, ino, name, mode, O_RDWR | O_EXCL, &n, &h) : -EPERM;
	if (r < 0) {
		(void)fuse_reply_err(req, -r);
		return;
	}
	kept = handle_new(s, n, h.fd, O_RDWR);
	r = request_entry(s, 0, n, &e);
	if (r < 0)
		(void)fuse_reply_err(req, -r);
	else if (fuse_reply_entry(req, &e) < 0)
		n->lookups--;
	handle_free(s, kept);
}

void request_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *fi)
{
	struct server *s = request_server(req);
	struct handle *h;
	ssize_t n = request_handle(req, ino, fi, &h);

	if (n == 0) {
		n = pread(h->fd, s->buffer, size < SERVER_BUFFER ? size : SERVER_BUFFER, at);
		n = n < 0 ? -errno : n;
	}
	if (n < 0)
		(void)fuse_reply_err(req, (int)-n);
	else
		(void)fuse_reply_buf(req, s->buffer, (size_t)n);
}

static uint64_t grown(const struct stat *st, off_t end)
{
	return end > st->st_size ? (uint64_t)(end - st->st_size) : 0;
}

/* Before a change: takes what the file would grow by. *ret is given back if it does not. */
static int before_write(struct server *s, struct handle *h, off_t at, size_t size, uint64_t *ret)
{
	struct node *n = h->node;
	struct stat st;

	*ret = 0;
	n->was_told = false; /* the kernel forgets what it believes of a file that it writes to */
	if (!n->kind->grow || (n->grant && !budget_counts(n->grant)))
		return 0;
	if (fstat(h->fd, &st) < 0)
		return -errno;
	if (at < 0 || __builtin_add_overflow(at, (off_t)size, &at))
		return -EFBIG;
	*ret = grown(&st, at);
	return *ret ? n->kind->grow(s, h, *ret) : 0;
}

/* What is written comes with a page of the kernel's sometimes, through any handle: that goes to
 * where it says, not to the end. */
static ssize_t write_some(const struct handle *h, const char *data, size_t size, off_t at,
			  bool append)
{
	struct iovec v = { .iov_base = (void *)data, .iov_len = size };
	ssize_t n;

	n = append ? pwritev2(h->fd, &v, 1, at, RWF_APPEND) : pwrite(h->fd, data, size, at);
	return n < 0 ? -errno : n;
}

void request_write(fuse_req_t req, fuse_ino_t ino, const char *data, size_t size, off_t at,
		   struct fuse_file_info *fi)
{
	struct server *s = request_server(req);
	struct handle *h;
	uint64_t growth = 0;
	ssize_t n = request_handle(req, ino, fi, &h);
	bool append;

	if (n == 0 && !h->writable)
		n = -EBADF;
	if (n < 0) {
		(void)fuse_reply_err(req, (int)-n);
		return;
	}
	append = h->append && !fi->writepage;
	n = before_write(s, h, append ? lseek(h->fd, 0, SEEK_END) : at, size, &growth);
	if (n == 0)
		n = write_some(h, data, size, at, append);
	if (n < (ssize_t)size && growth) {
		uint64_t missing = size - (n > 0 ? (size_t)n : 0);

		budget_give_back(h->node->grant, growth < missing ? growth : missing);
	}
	if (n < 0)
		(void)fuse_reply_err(req, (int)-n);
	else
		(void)fuse_reply_write(req, (size_t)n);
}

static int flush(struct server *s, struct handle *h)
{
	return h->writable && h->node->kind->flush ? h->node->kind->flush(s, h) : 0;
}

void request_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct handle *h;
	int r = request_handle(req, ino, fi, &h);

	if (r == 0)
		r = flush(request_server(req), h);
	(void)fuse_reply_err(req, -r);
}

/* Also of what was revoked. */
void request_release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = request_server(req);
	struct handle *h = table_find(&s->handles, fi->fh);

	if (h && h->node->id == ino)
		handle_free(s, h);
	(void)fuse_reply_err(req, 0);
}

void request_fsync(fuse_req_t req, fuse_ino_t ino, int only_data, struct fuse_file_info *fi)
{
	struct handle *h;
	int r = request_handle(req, ino, fi, &h);

	if (r == 0 && (only_data ? fdatasync(h->fd) : fsync(h->fd)) < 0)
		r = -errno;
	if (r == 0)
		r = flush(request_server(req), h);
	(void)fuse_reply_err(req, -r);
}

static int allocate(struct server *s, struct handle *h, int mode, off_t at, off_t length)
{
	uint64_t growth = 0;
	int r;

	if (!h->writable)
		return -EBADF;
	if (at < 0 || length <= 0)
		return -EINVAL;
	/* Blocks behind the end are no size, and would not be counted. */
	if (mode & FALLOC_FL_KEEP_SIZE && !(mode & FALLOC_FL_PUNCH_HOLE) &&
	    budget_counts(h->node->grant))
		return -EOPNOTSUPP;
	if (!(mode & FALLOC_FL_KEEP_SIZE)) {
		r = before_write(s, h, at, (size_t)length, &growth);
		if (r < 0)
			return r;
	}
	h->node->was_told = false;
	if (fallocate(h->fd, mode, at, length) == 0)
		return 0;
	r = -errno;
	budget_give_back(h->node->grant, growth);
	return r;
}

void request_fallocate(fuse_req_t req, fuse_ino_t ino, int mode, off_t at, off_t length,
		       struct fuse_file_info *fi)
{
	const int known = FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE;
	struct handle *h;
	int r = request_handle(req, ino, fi, &h);

	if (r == 0)
		r = mode & ~known ? -EOPNOTSUPP
				  : allocate(request_server(req), h, mode, at, length);
	(void)fuse_reply_err(req, -r);
}

void request_lseek(fuse_req_t req, fuse_ino_t ino, off_t at, int whence, struct fuse_file_info *fi)
{
	struct handle *h;
	off_t r = request_handle(req, ino, fi, &h);

	if (r == 0) {
		r = lseek(h->fd, at, whence);
		r = r < 0 ? -errno : r;
	}
	if (r < 0)
		(void)fuse_reply_err(req, (int)-r);
	else
		(void)fuse_reply_lseek(req, r);
}

static ssize_t copy(struct server *s, struct handle *from, off_t from_at, struct handle *to,
		    off_t to_at, size_t size)
{
	uint64_t growth = 0;
	ssize_t n;

	if (!to->writable)
		return -EBADF;
	n = before_write(s, to, to_at, size, &growth);
	if (n < 0)
		return n;
	n = copy_file_range(from->fd, &from_at, to->fd, &to_at, size, 0);
	n = n < 0 ? -errno : n;
	if (n < (ssize_t)size && growth) {
		uint64_t missing = size - (n > 0 ? (size_t)n : 0);

		budget_give_back(to->node->grant, growth < missing ? growth : missing);
	}
	return n;
}

void request_copy(fuse_req_t req, fuse_ino_t from, off_t from_at, struct fuse_file_info *from_fi,
		  fuse_ino_t to, off_t to_at, struct fuse_file_info *to_fi, size_t size, int flags)
{
	struct handle *a, *b;
	ssize_t n = request_handle(req, from, from_fi, &a);

	if (n == 0)
		n = request_handle(req, to, to_fi, &b);
	if (n == 0)
		n = flags ? -EINVAL : copy(request_server(req), a, from_at, b, to_at, size);
	if (n < 0)
		(void)fuse_reply_err(req, (int)-n);
	else
		(void)fuse_reply_write(req, (size_t)n);
}
