#include "base/loop.h"

#include <poll.h>
#include <time.h>

struct source {
	struct loop *loop;
	int fd;
	short events;
	source_fn *fn; /* NULL: removed, freed after the round */
	void *user;
};

struct loop {
	struct source **sources;
	struct pollfd *polled;
	size_t n;
	size_t room;
	bool cancelled;
};

struct loop *loop_new(void)
{
	return xcalloc(1, sizeof(struct loop));
}

struct loop *loop_free(struct loop *l)
{
	if (!l)
		return NULL;
	for (size_t i = 0; i < l->n; i++)
		free(l->sources[i]);
	free(l->sources);
	free(l->polled);
	free(l);
	return NULL;
}

struct source *loop_add(struct loop *l, int fd, short events, source_fn *fn, void *user)
{
	struct source *s = xmalloc(sizeof *s);

	*s = (struct source){ .loop = l, .fd = fd, .events = events, .fn = fn, .user = user };
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 16;
		l->sources = xreallocarray(l->sources, l->room, sizeof(struct source *));
		l->polled = xreallocarray(l->polled, l->room, sizeof *l->polled);
	}
	l->sources[l->n++] = s;
	return s;
}

void source_set_events(struct source *s, short events)
{
	s->events = events;
}

struct source *source_remove(struct source *s)
{
	if (s)
		s->fn = NULL;
	return NULL;
}

static void sweep(struct loop *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->sources[i]->fn)
			l->sources[kept++] = l->sources[i];
		else
			free(l->sources[i]);
	}
	l->n = kept;
}

/* One poll and its callbacks; sources added meanwhile wait for the next round. */
static int loop_round(struct loop *l, int timeout_ms, struct error **err)
{
	size_t n;
	int ready;

	sweep(l);
	n = l->n;
	for (size_t i = 0; i < n; i++)
		l->polled[i] = (struct pollfd){ .fd = l->sources[i]->fd,
						.events = l->sources[i]->events };
	ready = poll(l->polled, n, timeout_ms);
	if (ready < 0 && errno != EINTR)
		return error_errno(err, "cannot wait for events");
	for (size_t i = 0; ready > 0 && i < n; i++) {
		struct source *s = l->sources[i];

		if (l->polled[i].revents && s->fn)
			s->fn(s->user, l->polled[i].revents);
	}
	return 0;
}

void loop_cancel(struct loop *l)
{
	l->cancelled = true;
}

void loop_resume(struct loop *l)
{
	l->cancelled = false;
}

int loop_run(struct loop *l, const bool *done, int timeout_ms, struct error **err)
{
	uint64_t deadline = now_ms() + (uint64_t)(timeout_ms < 0 ? 0 : timeout_ms);

	while (!*done) {
		uint64_t now = timeout_ms < 0 ? 0 : now_ms();
		int r;

		if (l->cancelled)
			return error_set(err, ECANCELED, "cancelled");
		if (timeout_ms >= 0 && now >= deadline)
			return 0;
		r = loop_round(l, timeout_ms < 0 ? -1 : (int)(deadline - now), err);
		if (r < 0)
			return r;
	}
	return 1;
}

uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t now_ms(void)
{
	return now_us() / 1000;
}
