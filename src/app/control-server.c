#include "app/control-server.h"

#include <poll.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/sock.h"

#define CLIENTS_MAX	   64U
#define TERMINAL_CELLS_MAX 1000U
#define ARGUMENTS_MAX	   (4U << 20)

struct client {
	struct client *next;
	struct control *control;
	int fd;
	struct source *source;
	unsigned commands; /* entered and not ended: they still refer to it */
	bool gone;
};

struct control {
	struct loop *loop;
	int listener;
	struct source *source;
	struct client *clients;
	unsigned n_clients;
	struct control_handlers handlers;
	void *user;
	struct message inbox;
};

static void client_close(struct client *c)
{
	c->source = source_remove(c->source);
	c->fd = close_fd(c->fd);
	c->gone = true;
}

static void client_free(struct client *c)
{
	struct client **place = &c->control->clients;

	while (*place != c)
		place = &(*place)->next;
	*place = c->next;
	c->control->n_clients--;
	client_close(c);
	free(c);
}

/* Frees it as soon as no command refers to it. */
static void client_leave(struct client *c)
{
	client_close(c);
	if (!c->commands)
		client_free(c);
}

static void say(struct client *c, const struct buf *m, const int *fds, size_t n_fds)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (!c->gone && sock_send(c->fd, m->data, m->size, fds, n_fds, &error) < 0)
		client_close(c);
}

static void say_type(struct client *c, enum control_message type)
{
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, type);
	say(c, &m, NULL, 0);
}

static void say_error(struct client *c, const char *message)
{
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, CONTROL_ERROR);
	wire_put_string(&m, message);
	say(c, &m, NULL, 0);
}

static void on_command_terminal(void *user, int terminal)
{
	_cleanup_close_ int fd = terminal;
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, CONTROL_TERMINAL);
	say(user, &m, &fd, 1);
}

static void on_command_ended(void *user, int status)
{
	_cleanup_buf_ struct buf m = { 0 };
	struct client *c = user;

	wire_put_u32(&m, CONTROL_ENDED);
	wire_put_u32(&m, (uint32_t)status);
	say(c, &m, NULL, 0);
	c->commands--;
	if (c->gone && !c->commands)
		client_free(c);
}

static const struct box_command_events command_events = {
	.terminal = on_command_terminal,
	.ended = on_command_ended,
};

/* Of a client's memory file: reading it cannot block, whatever the descriptor is. */
static int read_arguments(int fd, char ***ret, struct error **err)
{
	_cleanup_free_ char *data = NULL;
	_cleanup_strv_ char **argv = NULL;
	struct wire w;
	struct stat st;
	size_t size;
	int r;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, EPROTO, "bad request");
	r = fs_read_fd(fd, ARGUMENTS_MAX, &data, &size, err);
	if (r < 0)
		return error_prefix(err, "arguments");
	w = wire_open(data, size);
	argv = wire_get_strv(&w);
	if (!wire_end(&w) || !argv)
		return error_set(err, EPROTO, "bad request");
	*ret = TAKE_PTR(argv);
	return 0;
}

static int handle_enter(struct client *c, struct wire *w, struct error **err)
{
	struct message *m = &c->control->inbox;
	_cleanup_strv_ char **argv = NULL;
	struct box_command command = { .stdio = { -EBADF, -EBADF, -EBADF } };
	int r;

	command.terminal = wire_get_u32(w);
	command.rows = wire_get_u32(w);
	command.columns = wire_get_u32(w);
	if (!wire_end(w) || m->n_fds != (command.terminal ? 1U : 4U) ||
	    command.rows > TERMINAL_CELLS_MAX || command.columns > TERMINAL_CELLS_MAX)
		return error_set(err, EPROTO, "bad request");
	r = read_arguments(m->fds[0], &argv, err);
	if (r < 0)
		return r;
	command.argv = argv;
	for (size_t i = 1; i < m->n_fds; i++)
		command.stdio[i - 1] = m->fds[i];
	r = c->control->handlers.enter(c->control->user, &command, &command_events, c, err);
	if (r >= 0)
		c->commands++;
	return r;
}

static int handle_request(struct client *c, struct error **err)
{
	const struct control_handlers *h = &c->control->handlers;
	int (*const simple[CONTROL_REQUEST_MAX])(void *, struct error **) = {
		[CONTROL_STOP] = h->stop,
		[CONTROL_ATTACH] = h->attach,
		[CONTROL_DETACH] = h->detach,
	};
	struct wire w = wire_open(c->control->inbox.data, c->control->inbox.size);
	uint32_t type = wire_get_u32(&w);
	int r;

	if (type == CONTROL_ENTER)
		return handle_enter(c, &w, err);
	if (!wire_end(&w) || type >= CONTROL_REQUEST_MAX)
		return error_set(err, EPROTO, "bad request");
	r = simple[type](c->control->user, err);
	if (r >= 0)
		say_type(c, CONTROL_OK);
	return r;
}

static void on_message(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL, *refusal = NULL;
	struct client *c = user;

	(void)revents;
	if (sock_receive(c->fd, &c->control->inbox, &error) < 0 || c->control->inbox.size == 0) {
		client_leave(c);
		return;
	}
	if (handle_request(c, &refusal) < 0)
		say_error(c, refusal->message);
	message_close_fds(&c->control->inbox);
}

static void on_connection(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct control *control = user;
	struct client *c;
	int fd;

	(void)revents;
	if (sock_accept(control->listener, getuid(), &fd, &error) < 0)
		return;
	if (control->n_clients >= CLIENTS_MAX) {
		close_fd(fd);
		return;
	}
	c = xcalloc(1, sizeof *c);
	*c = (struct client){ .next = control->clients, .control = control, .fd = fd };
	c->source = loop_add(control->loop, fd, POLLIN, on_message, c);
	control->clients = c;
	control->n_clients++;
}

int control_new(int dir, struct loop *loop, const struct control_handlers *handlers, void *user,
		struct control **ret, struct error **err)
{
	struct control *c;
	int listener, r;

	r = sock_listen(dir, CONTROL_SOCKET, &listener, err);
	if (r < 0)
		return r;
	c = xcalloc(1, sizeof *c);
	c->loop = loop;
	c->listener = listener;
	c->handlers = *handlers;
	c->user = user;
	c->source = loop_add(loop, listener, POLLIN, on_connection, c);
	*ret = c;
	return 0;
}

struct control *control_free(struct control *c)
{
	if (!c)
		return NULL;
	source_remove(c->source);
	close_fd(c->listener);
	while (c->clients)
		client_free(c->clients);
	free(c);
	return NULL;
}
