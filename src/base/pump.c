#include "base/pump.h"

#include <limits.h>
#include <poll.h>

struct pump {
	struct loop *loop;
	int from, to;
	struct source *reading, *writing;
	struct pump_events events;
	void *user;
	size_t size, done;    /* bytes in the piece, and how many of them are written */
	char piece[PIPE_BUF]; /* a pipe with room at all takes this much at once (pipe(7)) */
};

static void on_readable(void *user, short revents);
static void on_writable(void *user, short revents);

static void end(struct pump *p)
{
	p->reading = source_remove(p->reading);
	p->writing = source_remove(p->writing);
	if (p->events.ended)
		p->events.ended(p->user);
}

/* Returns false at the end of the source. */
static bool read_piece(struct pump *p)
{
	ssize_t n = read(p->from, p->piece, sizeof p->piece);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return true;
	/* EIO: the last process has closed the other side of a terminal. */
	if (n <= 0)
		return false;
	p->size = (size_t)n;
	p->done = 0;
	if (p->events.data)
		p->events.data(p->user, p->piece, p->size);
	if (p->to < 0)
		p->size = 0;
	return true;
}

/* Returns false when nobody reads any more. */
static bool write_piece(struct pump *p)
{
	ssize_t n = write(p->to, p->piece + p->done, p->size - p->done);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	p->done += (size_t)n;
	if (p->done == p->size)
		p->size = 0;
	return true;
}

static void wait_for_next(struct pump *p)
{
	p->reading = source_remove(p->reading);
	p->writing = source_remove(p->writing);
	if (p->size)
		p->writing = loop_add(p->loop, p->to, POLLOUT, on_writable, p);
	else
		p->reading = loop_add(p->loop, p->from, POLLIN, on_readable, p);
}

static void on_readable(void *user, short revents)
{
	struct pump *p = user;

	(void)revents;
	if (!read_piece(p)) {
		end(p);
		return;
	}
	if (p->size)
		wait_for_next(p);
}

static void on_writable(void *user, short revents)
{
	struct pump *p = user;

	(void)revents;
	if (!write_piece(p)) {
		end(p);
		return;
	}
	if (!p->size)
		wait_for_next(p);
}

struct pump *pump_new(struct loop *loop, int from, int to, const struct pump_events *events,
		      void *user)
{
	struct pump *p = xcalloc(1, sizeof *p);

	p->loop = loop;
	p->from = from;
	p->to = to;
	if (events)
		p->events = *events;
	p->user = user;
	wait_for_next(p);
	return p;
}

static bool ready(int fd, short events, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = events };
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	return n > 0 && (p.revents & events);
}

void pump_drain(struct pump *p, bool wait)
{
	if (!p || (!p->reading && !p->writing))
		return;
	for (;;) {
		while (p->size)
			if (!ready(p->to, POLLOUT, wait ? -1 : 0) || !write_piece(p))
				return;
		if (!ready(p->from, POLLIN, 0) || !read_piece(p))
			return;
	}
}

struct pump *pump_free(struct pump *p)
{
	if (!p)
		return NULL;
	source_remove(p->reading);
	source_remove(p->writing);
	free(p);
	return NULL;
}
