#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/fs.h"
#include "base/wire.h"
#include "box/box-private.h"
#include "box/init-protocol.h"
#include "emit/filter.h"

struct command {
	struct command *next;
	uint32_t id;
	struct box *box;
	int barrier; /* -EBADF once it runs, or never will */
	bool watched;
	int filter; /* borrowed until it runs */
	bool let_through;
	struct source *barrier_source;
	struct box_command_events events;
	void *user;
};

static void close_barrier(struct command *c)
{
	c->barrier_source = source_remove(c->barrier_source);
	c->barrier = close_fd(c->barrier);
}

static void command_free(struct command *c)
{
	close_barrier(c);
	free(c);
}

static struct command **find_command(struct box *b, uint32_t id)
{
	struct command **c = &b->commands;

	while (*c && (*c)->id != id)
		c = &(*c)->next;
	return c;
}

static void let_through(struct command *c)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *why = NULL;
	_cleanup_close_ int listener = -EBADF;
	pid_t pid;
	int r;

	r = c->watched ? sock_receive_pid_fd(c->barrier, &pid, &listener, &error)
		       : sock_receive_pid(c->barrier, &pid, &error);
	if (r == -EPIPE) {
		/* It failed before the barrier; its end is reported over the lifeline. */
		close_barrier(c);
		return;
	}
	if (r >= 0)
		r = box_verify_process(c->box, pid, 1 + (uint32_t)filter_count(c->filter), &error);
	if (r >= 0 && listener >= 0)
		c->events.listener(c->user, TAKE_FD(listener));
	if (r >= 0 && send(c->barrier, "g", 1, MSG_NOSIGNAL) == 1) {
		c->let_through = true;
		return;
	}
	close_barrier(c);
	why = xasprintf("a command is not confined as planned: %s",
			error ? error->message : "it is gone");
	box_lose(c->box, why);
}

/* Behind the barrier: has the program been executed? */
static void hear_outcome(struct command *c)
{
	uint32_t error;
	ssize_t n = recv(c->barrier, &error, sizeof error, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	close_barrier(c);
	if (n == 0 && c->events.started)
		c->events.started(c->user);
	if (n == sizeof error && c->events.failed)
		c->events.failed(c->user, (int)error);
}

static void on_barrier(void *user, short revents)
{
	struct command *c = user;

	(void)revents;
	if (c->let_through)
		hear_outcome(c);
	else
		let_through(c);
}

void box_command_terminal(struct box *b, uint32_t id)
{
	struct command *c = *find_command(b, id);

	if (c && c->events.terminal && b->inbox.n_fds)
		c->events.terminal(c->user, TAKE_FD(b->inbox.fds[0]));
}

void box_command_ended(struct box *b, uint32_t id, int status)
{
	struct command **place = find_command(b, id), *c = *place;

	if (!c)
		return;
	/* A short life may end before its start was seen. */
	if (c->let_through && c->barrier >= 0)
		hear_outcome(c);
	*place = c->next;
	if (c->events.ended)
		c->events.ended(c->user, status);
	command_free(c);
}

static int make_spec(const struct box_command *c, int *ret_fd, struct error **err)
{
	_cleanup_buf_ struct buf spec = { 0 };

	wire_put_strv(&spec, c->argv);
	wire_put_strv(&spec, c->env);
	wire_put_string(&spec, c->cwd);
	wire_put_u32(&spec, c->rows);
	wire_put_u32(&spec, c->columns);
	return fs_memfd("command", spec.data, spec.size, ret_fd, err);
}

static int send_spawn(struct box *b, uint32_t id, const struct box_command *c, int barrier,
		      struct error **err)
{
	_cleanup_close_ int spec = -EBADF, null = -EBADF;
	_cleanup_buf_ struct buf m = { 0 };
	int fds[SPAWN_FD_MAX], r;

	r = make_spec(c, &spec, err);
	if (r < 0)
		return r;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null < 0)
		return error_errno(err, "cannot open /dev/null");
	fds[SPAWN_FD_SPEC] = spec;
	fds[SPAWN_FD_FILTER] = c->watched ? c->filter : b->filter;
	fds[SPAWN_FD_BARRIER] = barrier;
	for (int i = 0; i < 3; i++)
		fds[SPAWN_FD_STDIN + i] = c->stdio[i] >= 0 ? c->stdio[i] : null;

	wire_put_u32(&m, INIT_SPAWN);
	wire_put_u32(&m, id);
	wire_put_u32(&m, (c->terminal ? INIT_SPAWN_TERMINAL : 0U) |
				 (c->watched ? INIT_SPAWN_WATCHED : 0U));
	return sock_send(b->lifeline, m.data, m.size, fds,
			 c->terminal ? SPAWN_FD_STDIN : SPAWN_FD_MAX, err);
}

int box_spawn(struct box *b, const struct box_command *command,
	      const struct box_command_events *events, void *user, struct error **err)
{
	_cleanup_close_ int barrier = -EBADF, theirs = -EBADF;
	struct command *c;
	int pair[2], r;

	r = sock_pair(pair, err);
	if (r < 0)
		return r;
	barrier = pair[0];
	theirs = pair[1];
	r = sock_pass_credentials(barrier, true, err);
	if (r < 0)
		return r;
	r = send_spawn(b, ++b->last_id, command, theirs, err);
	if (r < 0)
		return error_prefix(err, "%s box: cannot start '%s'", box_kind_to_string(b->kind),
				    command->argv[0]);

	c = xcalloc(1, sizeof *c);
	*c = (struct command){
		.next = b->commands,
		.id = b->last_id,
		.box = b,
		.barrier = TAKE_FD(barrier),
		.watched = command->watched,
		.filter = command->watched ? command->filter : b->filter,
		.user = user,
	};
	if (events)
		c->events = *events;
	c->barrier_source = loop_add(b->loop, c->barrier, POLLIN, on_barrier, c);
	b->commands = c;
	return 0;
}

int box_signal(struct box *b, int signal, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, INIT_SIGNAL);
	wire_put_u32(&m, 0);
	wire_put_u32(&m, (uint32_t)signal);
	return sock_send(b->lifeline, m.data, m.size, NULL, 0, err);
}

void box_forget_commands(struct box *b)
{
	while (b->commands) {
		struct command *c = b->commands;

		b->commands = c->next;
		command_free(c);
	}
}
