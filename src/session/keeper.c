#include "session/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/sock.h"
#include "base/wire.h"
#include "gate/protocol.h"
#include "session/replace.h"

#define WATCHED	    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO)
#define EVENTS_SIZE (16U << 10)

/* A given file. What has its name is pinned by a descriptor: its inode number is nobody else's. */
struct kept {
	struct kept *next;
	uint32_t id;
	const struct given *given;
	bool writable;
	int watch;   /* of inotify, or -1 */
	int fd;	     /* O_PATH of what the gate knows to have the name; -EBADF: none */
	bool unsure; /* something happened to the name */
};

struct kept_temporary {
	struct kept_temporary *next;
	uint32_t id;
	struct temporary file;
};

struct keeper {
	struct loop *loop;
	struct keeper_events events;
	void *user;

	int socket; /* does not block: who does not read answers cannot stop the supervisor */
	struct source *source;
	int inotify;
	struct source *inotify_source;
	int kick; /* eventfd(2): something is to be done in the next round of the loop */
	struct source *kick_source;

	struct kept *files;
	struct kept_temporary *temporaries;
	unsigned n_temporaries;
	uint32_t last_id;

	/* A file that is being copied into place. Requests wait until it is answered. */
	struct kept_temporary *copied_from; /* NULL: there is none */
	struct kept *copied;		    /* NULL: it was taken away meanwhile */
	struct replace replace;

	struct message inbox;
};

/* --- What has the name ---------------------------------------------------- */

/* Nothing is the same as nothing. */
static bool is_same(int a, int b)
{
	return a < 0 || b < 0 ? a < 0 && b < 0 : fs_is_same(a, b);
}

/* O_PATH of the regular file that has the name now, or -EBADF. */
static int look(const struct kept *f)
{
	_cleanup_close_ int fd = openat(f->given->parent, f->given->name,
					O_PATH | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADF;
	return TAKE_FD(fd);
}

/* Opens what the O_PATH descriptor stands for: nothing can be put in its place. */
static int open_same(int fd, int flags)
{
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* Tells the gate if another file has the name, or none that it could be given. */
static void look_again(struct keeper *k, struct kept *f)
{
	_cleanup_close_ int now = look(f);
	int file = -EBADF;

	f->unsure = false;
	if (is_same(now, f->fd))
		return;
	if (now >= 0) {
		file = open_same(now, f->writable ? O_RDWR : O_RDONLY);
		if (file < 0)
			now = close_fd(now);
		if (is_same(now, f->fd))
			return;
	}
	close_fd(f->fd);
	f->fd = TAKE_FD(now);
	k->events.replaced(k->user, f->id, file < 0 ? -EBADF : file);
}

static void kick(struct keeper *k)
{
	(void)eventfd_write(k->kick, 1); /* fails only where it is kicked already */
}

static void look_again_at_unsure(struct keeper *k)
{
	for (struct kept *f = k->files; f; f = f->next)
		if (f->unsure)
			look_again(k, f);
}

static void take_event(struct keeper *k, const struct inotify_event *e)
{
	for (struct kept *f = k->files; f; f = f->next) {
		bool all = e->mask & IN_Q_OVERFLOW;

		if (!all && f->watch != e->wd)
			continue;
		if (all || (e->len && !strcmp(e->name, f->given->name)))
			f->unsure = true;
		if (e->mask & IN_IGNORED)
			f->watch = -1;
	}
}

static void on_inotify(void *user, short revents)
{
	_Alignas(struct inotify_event) char events[EVENTS_SIZE];
	struct keeper *k = user;
	ssize_t n = read(k->inotify, events, sizeof events);

	(void)revents;
	for (const char *at = events; n > 0 && at < events + n;) {
		const struct inotify_event *e = (const struct inotify_event *)(const void *)at;

		take_event(k, e);
		at += sizeof *e + e->len;
	}
	look_again_at_unsure(k);
}

/* --- Requests of the gate, which may be hostile --------------------------- */

static void forget_temporary(struct keeper *k, struct kept_temporary *t)
{
	struct kept_temporary **at = &k->temporaries;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	k->n_temporaries--;
	close_fd(t->file.fd);
	free(t);
}

static void stop_copy(struct keeper *k)
{
	replace_release(&k->replace);
	k->copied = NULL;
	k->copied_from = NULL;
	if (k->source)
		source_set_events(k->source, POLLIN);
}

/* The gate is not heard any more. */
static void hang_up(struct keeper *k)
{
	k->source = source_remove(k->source);
	k->socket = close_fd(k->socket);
	stop_copy(k);
}

/* The last thing that is done with k: it may be gone then. */
static void lose(struct keeper *k, const char *why)
{
	hang_up(k);
	k->events.lost(k->user, why);
}

/* Also the last thing, as lose(). */
static void answer(struct keeper *k, const struct buf *m, int fd)
{
	_cleanup_(error_freep) struct error *error = NULL;
	int r = sock_send(k->socket, m->data, m->size, &fd, fd >= 0 ? 1 : 0, &error);

	if (r == -EAGAIN)
		lose(k, "the file gate does not read answers");
	else if (r < 0)
		hang_up(k);
}

static struct kept *find_file(struct keeper *k, uint32_t id)
{
	struct kept *f = k->files;

	while (f && f->id != id)
		f = f->next;
	return f;
}

static struct kept_temporary *find_temporary(struct keeper *k, uint32_t id)
{
	struct kept_temporary *t = k->temporaries;

	while (t && t->id != id)
		t = t->next;
	return t;
}

/* With `id` 0 wherever it can be made. The gate may ask for what was taken away just now. */
static int make_temporary(struct keeper *k, uint32_t id, struct temporary *ret)
{
	int r = -ENOENT;

	if (k->n_temporaries >= GATE_TEMPORARIES_MAX)
		return -ENOSPC;
	for (const struct kept *f = k->files; f; f = f->next) {
		if (id && f->id != id)
			continue;
		r = f->writable ? temporary_make(f->given->parent, ret) : -EROFS;
		if (r >= 0)
			break;
	}
	return r;
}

static void handle_temporary(struct keeper *k, uint32_t grant)
{
	struct temporary file = { .fd = -EBADF };
	_cleanup_buf_ struct buf m = { 0 };
	int r = make_temporary(k, grant, &file);

	if (r >= 0) {
		struct kept_temporary *t = xcalloc(1, sizeof *t);

		do
			k->last_id++;
		while (!k->last_id || find_temporary(k, k->last_id));
		*t = (struct kept_temporary){ .next = k->temporaries,
					      .id = k->last_id,
					      .file = file };
		k->temporaries = t;
		k->n_temporaries++;
	}
	wire_put_u32(&m, r < 0 ? (uint32_t)-r : 0);
	wire_put_u32(&m, r < 0 ? 0 : k->last_id);
	answer(k, &m, file.fd);
}

/* Replacing is done, or has failed. */
static void answer_replace(struct keeper *k, struct kept *f, struct kept_temporary *t, int r)
{
	_cleanup_buf_ struct buf m = { 0 };
	_cleanup_close_ int fd = -EBADF;

	if (r >= 0) {
		fd = fcntl(k->replace.fd, F_DUPFD_CLOEXEC, 0);
		close_fd(f->fd);
		f->fd = open_same(k->replace.fd, O_PATH);
		forget_temporary(k, t);
	}
	stop_copy(k);
	wire_put_u32(&m, r < 0 ? (uint32_t)-r : 0);
	answer(k, &m, fd);
}

static void handle_replace(struct keeper *k, uint32_t grant, struct kept_temporary *t)
{
	struct kept *f = find_file(k, grant);
	bool was_there;
	int r = !f ? -ENOENT : !f->writable ? -EROFS : 0;

	if (r < 0) {
		answer_replace(k, f, t, r);
		return;
	}
	/* What somebody else has made at a name where nothing was is not overwritten: the gate
	 * hears of it, and so can the application before it decides again. */
	was_there = f->fd >= 0;
	look_again(k, f);
	if (f->fd >= 0 && !was_there)
		r = -EEXIST;
	else
		r = replace_start(&k->replace, f->given->parent, f->given->name, f->fd, &t->file);
	if (r <= 0) {
		answer_replace(k, f, t, r);
		return;
	}
	k->copied = f;
	k->copied_from = t;
	source_set_events(k->source, 0);
	kick(k);
}

static void on_kick(void *user, short revents)
{
	struct keeper *k = user;
	eventfd_t count;
	int r;

	(void)revents;
	(void)eventfd_read(k->kick, &count);
	look_again_at_unsure(k);
	if (!k->copied_from)
		return;
	r = k->copied ? replace_step(&k->replace) : -ENOENT;
	if (r > 0)
		kick(k);
	else
		answer_replace(k, k->copied, k->copied_from, r);
}

/* False: it is none that a gate sends. */
static bool handle(struct keeper *k)
{
	struct wire w = wire_open(k->inbox.data, k->inbox.size);
	uint32_t type = wire_get_u32(&w), grant = 0, id = 0;
	struct kept_temporary *t;

	if (type == KEEPER_TEMPORARY || type == KEEPER_REPLACE)
		grant = wire_get_u32(&w);
	if (type == KEEPER_REPLACE || type == KEEPER_DROP)
		id = wire_get_u32(&w);
	if (type > KEEPER_DROP || !wire_end(&w) || k->inbox.n_fds)
		return false;
	if (type == KEEPER_TEMPORARY) {
		handle_temporary(k, grant);
		return true;
	}
	t = find_temporary(k, id);
	if (!t)
		return false;
	if (type == KEEPER_REPLACE)
		handle_replace(k, grant, t);
	else
		forget_temporary(k, t);
	return true;
}

static void on_request(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct keeper *k = user;
	int r;

	if (!(revents & POLLIN) || k->copied_from) {
		hang_up(k);
		return;
	}
	r = sock_receive(k->socket, &k->inbox, &error);
	if (r == -EMSGSIZE) {
		lose(k, "the file gate sent a message that is too long");
		return;
	}
	if (r < 0 || k->inbox.size == 0) {
		message_close_fds(&k->inbox);
		hang_up(k);
		return;
	}
	if (!handle(k)) {
		message_close_fds(&k->inbox);
		lose(k, "the file gate sent a request that makes no sense");
	}
}

/* --- Files that are given, and the keeper itself -------------------------- */

int keeper_new(struct loop *loop, int socket, const struct keeper_events *events, void *user,
	       struct keeper **ret, struct error **err)
{
	_cleanup_(keeper_freep) struct keeper *k = xcalloc(1, sizeof *k);

	k->loop = loop;
	k->socket = socket;
	k->events = *events;
	k->user = user;
	k->replace = REPLACE_NONE;
	k->kick = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	k->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (k->kick < 0 || k->inotify < 0)
		return error_errno(err, "cannot watch given files");
	if (fcntl(socket, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, "cannot prepare the socket of the file gate");
	k->source = loop_add(loop, socket, POLLIN, on_request, k);
	k->inotify_source = loop_add(loop, k->inotify, POLLIN, on_inotify, k);
	k->kick_source = loop_add(loop, k->kick, POLLIN, on_kick, k);
	*ret = TAKE_PTR(k);
	return 0;
}

static int watch(struct keeper *k, int parent)
{
	char path[32];

	(void)snprintf(path, sizeof path, "/proc/self/fd/%d", parent);
	return inotify_add_watch(k->inotify, path, WATCHED | IN_ONLYDIR);
}

int keeper_add(struct keeper *k, uint32_t grant, const struct given *g, bool writable,
	       struct error **err)
{
	struct kept *f;
	int fd = -EBADF;

	if (g->fd >= 0) {
		fd = fcntl(g->fd, F_DUPFD_CLOEXEC, 0);
		if (fd < 0)
			return error_errno(err, "cannot keep a descriptor");
	}
	f = xcalloc(1, sizeof *f);
	*f = (struct kept){
		.next = k->files,
		.id = grant,
		.given = g,
		.writable = writable,
		.fd = fd,
		.watch = watch(k, g->parent),
		/* It may have changed since it was opened, before it was watched. */
		.unsure = true,
	};
	k->files = f;
	kick(k);
	return 0;
}

static void unwatch(struct keeper *k, int watch)
{
	for (const struct kept *f = k->files; f; f = f->next)
		if (f->watch == watch)
			return;
	(void)inotify_rm_watch(k->inotify, watch); /* it may be gone with its directory */
}

void keeper_remove(struct keeper *k, uint32_t grant)
{
	struct kept **at = &k->files, *f;

	while (*at && (*at)->id != grant)
		at = &(*at)->next;
	f = *at;
	if (!f)
		return;
	if (k->copied == f) {
		replace_release(&k->replace);
		k->copied = NULL;
		kick(k);
	}
	*at = f->next;
	if (f->watch >= 0)
		unwatch(k, f->watch);
	close_fd(f->fd);
	free(f);
}

void keeper_drain(struct keeper *k, int fd, int timeout_ms)
{
	const uint64_t deadline = now_ms() + (uint64_t)timeout_ms;

	for (;;) {
		/* In this order: it is over only when nothing is left to answer. */
		struct pollfd p[] = {
			{ .fd = k->copied_from ? -EBADF : k->socket, .events = POLLIN },
			{ .fd = k->kick, .events = POLLIN },
			{ .fd = fd, .events = POLLIN },
		};
		uint64_t now = now_ms();
		int n = now < deadline ? poll(p, ARRAY_SIZE(p), (int)(deadline - now)) : 0;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		if (p[0].revents)
			on_request(k, p[0].revents);
		else if (p[1].revents)
			on_kick(k, p[1].revents);
		else
			return;
	}
}

struct keeper *keeper_free(struct keeper *k)
{
	if (!k)
		return NULL;
	hang_up(k);
	while (k->files)
		keeper_remove(k, k->files->id);
	while (k->temporaries)
		forget_temporary(k, k->temporaries);
	source_remove(k->inotify_source);
	source_remove(k->kick_source);
	close_fd(k->inotify);
	close_fd(k->kick);
	free(k);
	return NULL;
}
