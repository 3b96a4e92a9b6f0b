#include "session/patience.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/loop.h"

#define PIECE 16384U
#define POLLS 8U

static void keep(struct heard *h, const char *data, size_t size)
{
	const size_t room = HEARD_MAX - h->head.size;

	buf_add(&h->head, data, size < room ? size : room);
	buf_add(&h->tail, data, size);
	if (h->tail.size > 2 * HEARD_TAIL_MAX) {
		struct buf shorter = { 0 };

		buf_add(&shorter, h->tail.data + h->tail.size - HEARD_TAIL_MAX, HEARD_TAIL_MAX);
		buf_release(&h->tail);
		h->tail = shorter;
	}
}

static void hear(struct heard *h)
{
	char piece[PIECE];
	ssize_t n = read(h->fd, piece, sizeof piece);

	if (n > 0)
		keep(h, piece, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		h->fd = close_fd(h->fd);
}

static int left(uint64_t end)
{
	const uint64_t now = now_ms();

	return end > now ? (int)(end - now) : 0;
}

int patience_wait(const struct patience *p, int fd, uint32_t ms, struct error **err)
{
	const uint64_t wanted = now_ms() + ms;
	const uint64_t end = wanted < p->deadline ? wanted : p->deadline;

	for (;;) {
		struct pollfd polls[POLLS] = {
			{ .fd = p->signals, .events = POLLIN },
			{ .fd = fd, .events = POLLIN },
		};
		nfds_t n = 2;

		for (size_t i = 0; i < p->n_heard && n < POLLS; i++)
			polls[n++] = (struct pollfd){ .fd = p->heard[i].fd, .events = POLLIN };
		if (poll(polls, n, left(end)) < 0 && errno != EINTR)
			return error_errno(err, "cannot wait");
		if (polls[0].revents)
			return error_set(err, EINTR, "interrupted");
		for (nfds_t i = 2; i < n; i++)
			if (polls[i].revents)
				hear(&p->heard[i - 2]);
		if (polls[1].revents)
			return 1;
		if (left(end) > 0)
			continue;
		if (now_ms() >= p->deadline)
			return error_set(err, ETIMEDOUT, "out of time");
		return 0;
	}
}

/* Returns 1 when no more comes. */
static int read_piece(int fd, size_t limit, bool enough, struct buf *out, struct error **err)
{
	char piece[PIECE];
	ssize_t n = read(fd, piece, sizeof piece);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : error_errno(err, "cannot read");
	if (n == 0)
		return 1;
	if ((size_t)n > limit - out->size) {
		if (!enough)
			return error_set(err, EFBIG, "too much output");
		n = (ssize_t)(limit - out->size);
	}
	buf_add(out, piece, (size_t)n);
	return enough && out->size == limit;
}

static int collect(const struct patience *p, const struct collect *c, struct child *child, int fd,
		   struct buf *out, int *ret_status, struct error **err)
{
	const uint64_t end = now_ms() + c->ms;
	int r = 0;

	while (r == 0) {
		r = patience_wait(p, fd, (uint32_t)left(end), err);
		if (r == 0)
			return error_set(err, ETIMEDOUT, "no answer within %u ms", c->ms);
		if (r > 0)
			r = read_piece(fd, c->limit, c->enough, out, err);
	}
	if (r < 0)
		return r;
	*ret_status = 0;
	if (c->enough && out->size == c->limit)
		return 0;
	r = child_wait(child, left(end), ret_status, err);
	return r == 0 ? error_set(err, ETIMEDOUT, "no end within %u ms", c->ms) : r;
}

int patience_collect(const struct patience *p, const struct collect *c, struct buf *ret_output,
		     int *ret_status, struct error **err)
{
	_cleanup_(child_end) struct child child = CHILD_NONE;
	_cleanup_close_ int ours = -EBADF, theirs = -EBADF;
	_cleanup_buf_ struct buf out = { 0 };
	struct spawn s = *c->spawn;
	int fds[3], ends[2], status = 0, r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	ours = ends[0];
	theirs = ends[1];
	fds[0] = -EBADF;
	fds[1] = theirs;
	fds[2] = c->enough ? -EBADF : theirs;
	s.fds = fds;
	s.n_fds = ARRAY_SIZE(fds);
	r = spawn(&s, &child, err);
	if (r < 0)
		return r;
	theirs = close_fd(theirs);
	r = collect(p, c, &child, ours, &out, &status, err);
	if (r < 0)
		return error_prefix(err, "%s", s.path ? s.path : s.argv[0]);
	*ret_status = status;
	*ret_output = out;
	out = (struct buf){ 0 };
	return 0;
}

void heard_release(struct heard *h)
{
	h->fd = close_fd(h->fd);
	buf_release(&h->head);
	buf_release(&h->tail);
}
