#include "app/control-client.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "app/registry.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "session/stdio.h"

#define STOP_TIMEOUT_MS	  10000
#define ANSWER_TIMEOUT_MS 10000

int control_connect(const char *name, int *ret_fd, char **ret_id, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	_cleanup_free_ char *id = NULL;
	int r;

	r = registry_open_named(name, &dir, &id, err);
	if (r < 0)
		return r;
	r = sock_connect(dir, CONTROL_SOCKET, ret_fd, err);
	if (r < 0)
		return error_prefix(err, "sandbox '%s'", id);
	if (ret_id)
		*ret_id = TAKE_PTR(id);
	return 0;
}

/* Receives one message and its type. 0 when the supervisor closed. */
static int hear(int fd, struct message *m, struct wire *ret_rest, uint32_t *ret_type,
		struct error **err)
{
	_cleanup_free_ char *text = NULL;
	int r;

	r = sock_receive(fd, m, err);
	if (r < 0 || m->size == 0)
		return r;
	*ret_rest = wire_open(m->data, m->size);
	*ret_type = wire_get_u32(ret_rest);
	if (*ret_type != CONTROL_ERROR)
		return 1;
	text = wire_get_string(ret_rest);
	return error_set(err, EREMOTEIO, "%s", text);
}

/* Waits for something to be heard; forever with a negative time. */
static int await(int fd, int timeout_ms, struct error **err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	do
		r = poll(&p, 1, timeout_ms);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_errno(err, "cannot wait for the sandbox");
	return r;
}

static int call(int fd, const struct buf *m, const int *fds, size_t n_fds, int timeout_ms,
		char **ret_text, struct error **err)
{
	_cleanup_free_ struct message *answer = xmalloc(sizeof *answer);
	uint32_t type;
	struct wire w;
	int r;

	r = sock_send(fd, m->data, m->size, fds, n_fds, err);
	if (r >= 0)
		r = await(fd, timeout_ms, err);
	if (r < 0)
		return r;
	if (r == 0)
		return error_set(err, ETIMEDOUT, "there is no answer in time");
	r = hear(fd, answer, &w, &type, err);
	if (r == 0)
		return error_set(err, EPIPE, "the sandbox ended");
	if (r < 0)
		return r;
	message_close_fds(answer);
	if (ret_text)
		*ret_text = wire_get_string(&w);
	return 0;
}

int control_ask(int fd, enum control_message request, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, request);
	return call(fd, &m, NULL, 0, -1, NULL, err);
}

int control_share(int fd, const struct given *given, const struct control_wish *wish,
		  char **ret_inside, struct error **err)
{
	const int fds[] = { given->parent, given->fd };
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, CONTROL_SHARE);
	wire_put_u32(&m, wish->access);
	wire_put_u32(&m, wish->at_least);
	wire_put_u32(&m, (uint32_t)wish->limit);
	wire_put_u32(&m, (uint32_t)(wish->limit >> 32));
	wire_put_u32(&m, given->fd < 0);
	wire_put_string(&m, given->name);
	return call(fd, &m, fds, given->fd < 0 ? 1 : 2, ANSWER_TIMEOUT_MS, ret_inside, err);
}

/* Not in time: the gate waits for the disk, say. What was given is refused inside all the same;
 * what is in memory there can still be read. */
int control_unshare(int fd, char *const *meanings, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 };
	int r;

	wire_put_u32(&m, CONTROL_UNSHARE);
	wire_put_strv(&m, meanings);
	r = call(fd, &m, NULL, 0, ANSWER_TIMEOUT_MS, NULL, err);
	if (r == -ETIMEDOUT)
		return error_prefix(err,
				    "it is not taken away yet ('vitrine stop' does it for sure)");
	return r;
}

int control_walked(int fd, char **ret_left_out, struct error **err)
{
	_cleanup_free_ struct message *answer = xmalloc(sizeof *answer);
	uint32_t type;
	struct wire w;
	int r;

	r = hear(fd, answer, &w, &type, err);
	if (r == 0)
		return error_set(err, EPIPE, "the sandbox ended");
	if (r < 0)
		return r;
	message_close_fds(answer);
	if (ret_left_out)
		*ret_left_out = wire_get_string(&w);
	return 0;
}

int control_changes(int fd, bool temporary, struct changes *ret, struct error **err)
{
	_cleanup_close_ int in = -EBADF, out = -EBADF;
	_cleanup_free_ char *data = NULL;
	_cleanup_buf_ struct buf m = { 0 };
	int pipe_fds[2], r;
	size_t size;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	in = pipe_fds[0];
	out = pipe_fds[1];
	wire_put_u32(&m, CONTROL_CHANGES);
	wire_put_u32(&m, temporary);
	r = sock_send(fd, m.data, m.size, &out, 1, err);
	out = close_fd(out);
	if (r >= 0)
		r = fs_read_fd(in, CHANGES_SIZE_MAX, &data, &size, err);
	in = close_fd(in);
	if (r < 0)
		return r;
	/* What it says of a failure is better than that something is missing. */
	r = control_walked(fd, NULL, err);
	return r < 0 ? r : changes_parse(data, size, ret, err);
}

int control_archive(int fd, const struct control_archive *a, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 }, words = { 0 };
	_cleanup_close_ int words_fd = -EBADF;
	int r;

	wire_put_strv(&words, a->paths);
	wire_put_strv(&words, a->names);
	r = fs_memfd("paths", words.data, words.size, &words_fd, err);
	if (r < 0)
		return r;
	wire_put_u32(&m, CONTROL_ARCHIVE);
	wire_put_u32(&m, a->links);
	wire_put_u32(&m, (uint32_t)a->bytes_max);
	wire_put_u32(&m, (uint32_t)(a->bytes_max >> 32));
	return sock_send(fd, m.data, m.size, (const int[]){ words_fd, a->out }, 2, err);
}

int control_stop(int fd, struct error **err)
{
	int r;

	r = control_ask(fd, CONTROL_STOP, err);
	if (r < 0 && r != -EPIPE && r != -ECONNRESET)
		return r;
	*err = error_free(*err); /* it was ending by itself */
	r = await(fd, STOP_TIMEOUT_MS, err);
	if (r == 0)
		return error_set(err, ETIMEDOUT, "the sandbox does not end");
	return r < 0 ? r : 0;
}

struct entered {
	int fd;
	struct stdio *stdio;
	int signals;
	bool done;
	int code; /* or a negative error in `error` */
	struct error *error;
	struct message inbox;
};

static void on_answer(void *user, short revents)
{
	struct entered *e = user;
	uint32_t type;
	struct wire w;
	int r;

	(void)revents;
	r = hear(e->fd, &e->inbox, &w, &type, &e->error);
	if (r == 0)
		r = error_set(&e->error, EPIPE, "the sandbox ended");
	if (r < 0 || type == CONTROL_ENDED) {
		e->code = r < 0 ? r : status_to_exit_code((int)wire_get_u32(&w));
		e->done = true;
	} else if (type == CONTROL_TERMINAL && e->inbox.n_fds == 1) {
		stdio_terminal(e->stdio, TAKE_FD(e->inbox.fds[0]));
	}
	message_close_fds(&e->inbox);
}

static void on_resize(void *user, short revents)
{
	struct signalfd_siginfo info;
	struct entered *e = user;

	(void)revents;
	if (read(e->signals, &info, sizeof info) == sizeof info)
		stdio_resize(e->stdio);
}

static int send_enter(int fd, char *const *argv, const struct stdio_ends *ends, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 }, words = { 0 };
	_cleanup_close_ int words_fd = -EBADF;
	int r;

	wire_put_strv(&words, argv);
	r = fs_memfd("arguments", words.data, words.size, &words_fd, err);
	if (r < 0)
		return r;

	const int fds[] = { words_fd, ends->fds[0], ends->fds[1], ends->fds[2] };

	wire_put_u32(&m, CONTROL_ENTER);
	wire_put_u32(&m, ends->terminal);
	wire_put_u32(&m, ends->rows);
	wire_put_u32(&m, ends->columns);
	return sock_send(fd, m.data, m.size, fds, ends->terminal ? 1 : ARRAY_SIZE(fds), err);
}

int control_enter(int fd, char *const *argv, int *ret_code, struct error **err)
{
	_cleanup_(loop_freep) struct loop *loop = loop_new();
	_cleanup_free_ struct entered *e = xcalloc(1, sizeof *e);
	struct stdio_ends ends;
	sigset_t resize;
	int r;

	e->fd = fd;
	sigemptyset(&resize);
	sigaddset(&resize, SIGWINCH);
	sigprocmask(SIG_BLOCK, &resize, NULL);
	e->signals = signalfd(-1, &resize, SFD_CLOEXEC | SFD_NONBLOCK);
	if (e->signals < 0)
		return error_errno(err, "cannot wait for signals");
	loop_add(loop, e->signals, POLLIN, on_resize, e);
	r = stdio_new(loop, false, NULL, NULL, &ends, &e->stdio, err);
	if (r >= 0)
		r = send_enter(fd, argv, &ends, err);
	stdio_ends_release(&ends);
	if (r >= 0) {
		loop_add(loop, fd, POLLIN, on_answer, e);
		r = loop_run(loop, &e->done, -1, err);
	}
	e->stdio = stdio_end(e->stdio, true);
	close_fd(e->signals);
	if (r >= 0 && e->code < 0)
		r = error_move(err, e->error);
	if (r < 0)
		return r;
	*ret_code = e->code;
	return 0;
}
