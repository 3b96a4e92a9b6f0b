#include "app/control-server.h"

#include <fcntl.h>
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
	unsigned pending; /* commands that have not ended and answers to come: they refer to it */
	bool gone;
};

struct control {
	struct loop *loop;
	int listener;
	struct source *source;
	struct client *clients;
	unsigned n_clients;
	struct control_handlers handlers;
	bool held;
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

/* Frees it as soon as nothing refers to it. */
static void client_leave(struct client *c)
{
	client_close(c);
	if (!c->pending)
		client_free(c);
}

/* Something that referred to it is over. */
static void client_settle(struct client *c)
{
	c->pending--;
	if (c->gone && !c->pending)
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

static void say_string(struct client *c, enum control_message type, const char *text)
{
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, type);
	wire_put_string(&m, text);
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
	client_settle(c);
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
	return c->control->handlers.enter(c->control->user, &command, &command_events, c, err);
}

/* One for whom the sandbox ends is not told: that the connection closes says it. */
static void say_failed(struct client *c, const struct error *error)
{
	if (error->code != ESHUTDOWN)
		say_string(c, CONTROL_ERROR, error->message);
}

static void on_shared(void *user, const char *inside, const struct error *error)
{
	struct client *c = user;

	if (error)
		say_failed(c, error);
	else
		say_string(c, CONTROL_SHARED, inside);
	client_settle(c);
}

static void on_unshared(void *user, const char *inside, const struct error *error)
{
	struct client *c = user;

	(void)inside;
	if (error)
		say_failed(c, error);
	else
		say_type(c, CONTROL_OK);
	client_settle(c);
}

static int handle_share(struct client *c, struct wire *w, struct error **err)
{
	struct message *m = &c->control->inbox;
	uint32_t access = wire_get_u32(w), at_least = wire_get_u32(w), low = wire_get_u32(w),
		 high = wire_get_u32(w), is_new = wire_get_u32(w);
	_cleanup_free_ char *name = wire_get_string(w);
	struct control_share share = {
		.wish = { .access = (enum gate_access)access,
			  .at_least = at_least,
			  .limit = (uint64_t)high << 32 | low },
		.fd = -EBADF,
		.name = name,
	};
	int r;

	if (!wire_end(w) || access >= GATE_ACCESS_MAX || is_new > 1 || at_least > 1 ||
	    m->n_fds != 2 - is_new)
		return error_set(err, EPROTO, "bad request");
	share.parent = TAKE_FD(m->fds[0]);
	if (!is_new)
		share.fd = TAKE_FD(m->fds[1]);
	r = c->control->handlers.share(c->control->user, &share, on_shared, c, err);
	close_fd(share.parent);
	close_fd(share.fd);
	return r;
}

static int handle_unshare(struct client *c, struct wire *w, struct error **err)
{
	_cleanup_strv_ char **meanings = wire_get_strv(w);

	if (!wire_end(w) || !meanings)
		return error_set(err, EPROTO, "bad request");
	return c->control->handlers.unshare(c->control->user, meanings, on_unshared, c, err);
}

static void on_walked(void *user, const char *left_out, const struct error *error)
{
	struct client *c = user;

	if (error)
		say_failed(c, error);
	else
		say_string(c, CONTROL_WALKED, left_out);
	client_settle(c);
}

static int handle_changes(struct client *c, struct wire *w, struct error **err)
{
	struct message *m = &c->control->inbox;
	struct control_walk walk = { .temporary = wire_get_u32(w) };

	if (!wire_end(w) || m->n_fds != 1)
		return error_set(err, EPROTO, "bad request");
	walk.out = m->fds[0];
	return c->control->handlers.walk(c->control->user, &walk, on_walked, c, err);
}

/* Of a client's memory file, see read_arguments(). */
static int read_paths(int fd, struct control_walk *walk, struct error **err)
{
	_cleanup_free_ char *data = NULL;
	struct wire w;
	struct stat st;
	size_t size;
	int r;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_set(err, EPROTO, "bad request");
	r = fs_read_fd(fd, ARGUMENTS_MAX, &data, &size, err);
	if (r < 0)
		return error_prefix(err, "paths");
	w = wire_open(data, size);
	walk->paths = wire_get_strv(&w);
	walk->names = wire_get_strv(&w);
	if (!wire_end(&w) || !walk->paths || strv_length(walk->paths) != strv_length(walk->names))
		return error_set(err, EPROTO, "bad request");
	return 0;
}

static int handle_archive(struct client *c, struct wire *w, struct error **err)
{
	struct message *m = &c->control->inbox;
	struct control_walk walk = { .links = wire_get_u32(w) };
	uint32_t low = wire_get_u32(w), high = wire_get_u32(w);
	int r;

	walk.bytes_max = (uint64_t)high << 32 | low;
	if (!wire_end(w) || m->n_fds != 2)
		return error_set(err, EPROTO, "bad request");
	walk.out = m->fds[1];
	r = read_paths(m->fds[0], &walk, err);
	if (r >= 0)
		r = c->control->handlers.walk(c->control->user, &walk, on_walked, c, err);
	strv_free(walk.paths);
	strv_free(walk.names);
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
	/* These answer later. */
	static int (*const lasting[CONTROL_REQUEST_MAX])(struct client *, struct wire *,
							 struct error **) = {
		[CONTROL_ENTER] = handle_enter,	    [CONTROL_SHARE] = handle_share,
		[CONTROL_UNSHARE] = handle_unshare, [CONTROL_CHANGES] = handle_changes,
		[CONTROL_ARCHIVE] = handle_archive,
	};
	static const bool of_held[CONTROL_REQUEST_MAX] = {
		[CONTROL_STOP] = true,
		[CONTROL_CHANGES] = true,
		[CONTROL_ARCHIVE] = true,
	};
	struct wire w = wire_open(c->control->inbox.data, c->control->inbox.size);
	uint32_t type = wire_get_u32(&w);
	int r;

	if (type >= CONTROL_REQUEST_MAX)
		return error_set(err, EPROTO, "bad request");
	if (c->control->held && !of_held[type])
		return error_set(
			err, ESHUTDOWN,
			"its application has ended, and its files are held to be looked at");
	if (lasting[type]) {
		/* Counted first: an answer to an earlier request of this client may come at once.
		 */
		c->pending++;
		r = lasting[type](c, &w, err);
		if (r < 0)
			c->pending--;
		return r;
	}
	if (!wire_end(&w))
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
		say_string(c, CONTROL_ERROR, refusal->message);
	message_close_fds(&c->control->inbox);
	if (c->gone && !c->pending)
		client_free(c);
}

/* Takes fd over. */
static void refuse_client(int fd)
{
	struct client c = { .fd = fd };

	say_string(&c, CONTROL_ERROR,
		   "too many commands speak to this sandbox at the moment: try again");
	close_fd(c.fd);
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
	/* One that does not read what it asked for must not stop this process: it is left. */
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	if (control->n_clients >= CLIENTS_MAX) {
		refuse_client(fd);
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

void control_hold(struct control *c)
{
	c->held = true;
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
