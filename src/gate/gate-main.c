/*
 * vitrine-gate: the file gate of one sandbox (gate/protocol.h). Shows its box what the supervisor
 * gives it, with the user's rights and none else: it confines itself before it hears a word. One
 * thread, which sleeps until the supervisor, the kernel or the notifier has something.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"
#include "base/sock.h"
#include "gate/confine.h"
#include "gate/path.h"
#include "gate/request.h"
#include "gate/revoke.h"
#include "gate/watch.h"

#define REQUESTS_AT_ONCE 32U  /* before the supervisor is heard again */
#define LAST_WRITES_MS	 5000 /* after the supervisor is gone, for what is still to be written */

static struct message inbox;

enum {
	POLL_FUSE,
	POLL_CONTROL,
	POLL_INBOX,
	POLL_NOTIFIER,
	POLL_WATCH,
	POLL_MAX,
};

struct gate {
	struct server *server;
	struct fuse_buf request; /* one, used again and again */
	int fuse;		 /* the session's; -EBADF: it did not come yet */
	int inbox;		 /* GATE_INBOX until then */
	uint64_t deadline;	 /* once the supervisor is gone */
	bool done;
};

static uint64_t now_ms(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int on_control(struct gate *g, struct error **err)
{
	int r;

	r = sock_receive(GATE_CONTROL, &inbox, err);
	if (r < 0)
		return r;
	if (inbox.size == 0) {
		/* What has died inside is being written to the end. */
		g->server->ending = true;
		g->deadline = now_ms() + LAST_WRITES_MS;
		g->done = g->fuse < 0;
		return 0;
	}
	r = server_hear(g->server, &inbox);
	if (r < 0)
		return error_set(err, -r, "bad message of the supervisor: %s", strerror(-r));
	return 0;
}

/* The monitor of the app box has mounted, and sends what the kernel's requests come through. */
static int on_inbox(struct gate *g, struct error **err)
{
	_cleanup_free_ char *path = NULL;
	int r;

	r = sock_receive(GATE_INBOX, &inbox, err);
	if (r < 0)
		return r;
	g->inbox = close_fd(g->inbox);
	if (inbox.size == 0)
		return 0; /* there will be no box; the supervisor knows */
	if (inbox.n_fds != 2 || fcntl(inbox.fds[0], F_SETFL, O_RDWR | O_NONBLOCK) < 0) {
		message_close_fds(&inbox);
		return error_set(err, EPROTO, "the box sent no /dev/fuse");
	}
	path = xasprintf("/dev/fd/%d", inbox.fds[0]); /* libfuse's word for an open one */
	if (fuse_session_mount(g->server->session, path) < 0)
		return error_set(err, EPROTO, "cannot use the /dev/fuse of the box");
	g->fuse = TAKE_FD(inbox.fds[0]);
	g->server->notifier_fuse = TAKE_FD(inbox.fds[1]);
	return 0;
}

/* As long as there are requests: finding out that there is none costs less than sleeping on it. */
static int on_fuse(struct gate *g, struct error **err)
{
	struct fuse_session *session = g->server->session;
	int r = 1;

	for (unsigned i = 0; r > 0 && i < REQUESTS_AT_ONCE; i++) {
		r = fuse_session_receive_buf(session, &g->request);
		if (r > 0)
			fuse_session_process_buf(session, &g->request);
	}
	path_forget(g->server);
	/* Unmounted, and the last of what was open is closed. */
	g->done |= fuse_session_exited(session) || r == -ENODEV || r == -ECONNABORTED;
	if (g->done)
		return 0;
	if (r < 0 && r != -EAGAIN && r != -EINTR)
		return error_set(err, -r, "cannot read a request: %s", strerror(-r));
	return 0;
}

static int wait_for_something(const struct gate *g, struct pollfd p[POLL_MAX], struct error **err)
{
	const struct server *s = g->server;
	uint64_t now = g->deadline ? now_ms() : 0;
	int timeout = !g->deadline ? -1 : g->deadline > now ? (int)(g->deadline - now) : 0;
	const struct pollfd all[POLL_MAX] = {
		[POLL_FUSE] = { .fd = s->serving ? g->fuse : -1, .events = POLLIN },
		[POLL_CONTROL] = { .fd = g->deadline ? -1 : GATE_CONTROL,
				   .events = s->sayings ? POLLIN | POLLOUT : POLLIN },
		[POLL_INBOX] = { .fd = g->inbox, .events = POLLIN },
		[POLL_NOTIFIER] = { .fd = s->notifier_fd, .events = POLLIN },
		[POLL_WATCH] = { .fd = s->watch_fd, .events = POLLIN },
	};
	int n;

	memcpy(p, all, sizeof all);
	n = poll(p, POLL_MAX, timeout);
	if (n < 0 && errno != EINTR)
		return error_errno(err, "cannot wait");
	return n > 0 ? 1 : n == 0 ? 0 : -EINTR;
}

static int serve(struct gate *g, struct error **err)
{
	while (!g->done) {
		struct pollfd p[POLL_MAX];
		int r = wait_for_something(g, p, err);

		if (r == -EINTR)
			continue;
		if (r <= 0)
			return r;
		r = 0;
		/* Before anything is answered that follows from it. */
		if (p[POLL_WATCH].revents)
			watch_hear(g->server);
		if (p[POLL_FUSE].revents)
			r = on_fuse(g, err);
		if (r == 0 && p[POLL_CONTROL].revents & POLLOUT)
			server_say_kept(g->server);
		if (r == 0 && p[POLL_CONTROL].revents & ~POLLOUT)
			r = on_control(g, err);
		if (r == 0 && p[POLL_INBOX].revents)
			r = on_inbox(g, err);
		if (r == 0 && p[POLL_NOTIFIER].revents && revoke_told(g->server) < 0)
			r = error_set(err, EIO, "cannot tell the box what was taken away");
		if (r < 0)
			return r;
	}
	return 0;
}

/* Files of the user's, as many as may be open. Returns how many the box may open, so that there is
 * always room for what is given. */
static size_t raise_limits(void)
{
	const rlim_t others = GATE_GRANTS_MAX + 2 * GATE_TEMPORARIES_MAX + 32;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 0;
	l.rlim_cur = l.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &l);
	return l.rlim_max > 2 * others ? l.rlim_max - others : l.rlim_max / 2;
}

static int run(struct error **err)
{
	struct gate g = { .fuse = -EBADF, .inbox = GATE_INBOX };
	_cleanup_close_ int filter = -EBADF;
	size_t handles_max;
	int r;

	filter = open(VITRINE_EXEC_DIR "/gate.bpf", O_RDONLY | O_CLOEXEC);
	if (filter < 0)
		return error_errno(err, "cannot open '%s'", VITRINE_EXEC_DIR "/gate.bpf");
	umask(0); /* modes come as the box's kernel made them */
	handles_max = raise_limits();
	r = confine(filter, err);
	filter = close_fd(filter);
	if (r < 0)
		return r;
	g.server = server_new(GATE_CONTROL, GATE_KEEPER);
	g.server->handles_max = handles_max;
	r = server_start(g.server);
	if (r < 0)
		return error_set(err, -r, "cannot start libfuse");
	r = serve(&g, err);
	if (g.server->unsaid)
		dprintf(STDERR_FILENO, "vitrine-gate: %u first opens are missing in the log\n",
			g.server->unsaid);
	return r;
}

int main(void)
{
	_cleanup_(error_freep) struct error *error = NULL;

	/* As errors: EPIPE of a supervisor that is gone, EFBIG of a limit. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR || signal(SIGXFSZ, SIG_IGN) == SIG_ERR)
		return 2;
	for (int fd = GATE_CONTROL; fd < GATE_FDS; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 2;
	if (run(&error) < 0) {
		dprintf(STDERR_FILENO, "vitrine-gate: %s\n", error->message);
		return 1;
	}
	return 0;
}
