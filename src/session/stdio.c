#include "session/stdio.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>

#include "base/pump.h"

struct stream {
	struct stdio *stdio;
	struct pump *pump;
	int fd;	      /* our end of the pipe, or -EBADF */
	bool midline; /* the last byte was no line's end */
};

struct stdio {
	struct loop *loop;
	bool detached;
	bool raw; /* the caller's terminal was changed and is given back at the end */
	struct termios saved;
	int master;
	stdio_output_fn *output;
	void *user;
	struct stream streams[3]; /* as numbered for the command; a terminal uses the first two */
};

static void on_output(void *user, const char *data, size_t size)
{
	struct stream *s = user;

	s->midline = data[size - 1] != '\n';
	if (s->stdio->output)
		s->stdio->output(s->stdio->user, data, size);
}

/* Closing our end tells the command: end of input, or nobody reads. */
static void on_end(void *user)
{
	struct stream *s = user;

	s->pump = pump_free(s->pump);
	s->fd = close_fd(s->fd);
}

static const struct pump_events input_events = { .ended = on_end };
static const struct pump_events output_events = { .data = on_output, .ended = on_end };

static void start_pipe(struct stdio *s, int number)
{
	struct stream *stream = &s->streams[number];

	if (number == 0)
		stream->pump = pump_new(s->loop, STDIN_FILENO, stream->fd, &input_events, stream);
	else
		stream->pump = pump_new(s->loop, stream->fd, s->detached ? -1 : number,
					&output_events, stream);
}

static int make_pipe(struct stdio *s, int number, struct stdio_ends *ends, struct error **err)
{
	int fds[2], ours = number == 0 ? 1 : 0;

	if (s->detached && number == 0)
		return 0; /* negative: /dev/null */
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	s->streams[number].fd = fds[ours];
	ends->fds[number] = fds[!ours];
	if (fcntl(fds[ours], F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, "cannot prepare a pipe");
	/* A pipe belongs to the user; the command, with another id, may open it again by name. */
	if (fchmod(fds[!ours], 0666) < 0)
		return error_errno(err, "cannot prepare a pipe");
	start_pipe(s, number);
	return 0;
}

static bool has_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static void window_size(unsigned *ret_rows, unsigned *ret_columns)
{
	struct winsize size = { 0 };

	(void)ioctl(STDIN_FILENO, TIOCGWINSZ, &size);
	*ret_rows = size.ws_row;
	*ret_columns = size.ws_col;
}

int stdio_new(struct loop *loop, bool detached, stdio_output_fn *output, void *user,
	      struct stdio_ends *ret_ends, struct stdio **ret, struct error **err)
{
	struct stdio *s = xcalloc(1, sizeof *s);

	*s = (struct stdio){
		.loop = loop, .detached = detached, .master = -EBADF, .output = output, .user = user
	};
	*ret_ends = (struct stdio_ends){ .fds = { -EBADF, -EBADF, -EBADF } };
	for (int i = 0; i < 3; i++)
		s->streams[i] = (struct stream){ .stdio = s, .fd = -EBADF };

	if (!detached && has_terminal()) {
		ret_ends->terminal = true;
		window_size(&ret_ends->rows, &ret_ends->columns);
		*ret = s;
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		int r = make_pipe(s, i, ret_ends, err);

		if (r < 0) {
			stdio_ends_release(ret_ends);
			stdio_end(s, false);
			return r;
		}
	}
	*ret = s;
	return 0;
}

void stdio_terminal(struct stdio *s, int master)
{
	struct termios raw;

	s->master = master;
	if (master < 0)
		return;
	(void)fcntl(master, F_SETFL, O_NONBLOCK);
	if (tcgetattr(STDIN_FILENO, &s->saved) == 0) {
		raw = s->saved;
		cfmakeraw(&raw);
		s->raw = tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
	}
	s->streams[0].pump = pump_new(s->loop, STDIN_FILENO, master, NULL, NULL);
	s->streams[1].pump = pump_new(s->loop, master, STDOUT_FILENO, &output_events,
				      &s->streams[1]);
}

void stdio_resize(struct stdio *s)
{
	struct winsize size;

	if (s && s->master >= 0 && ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		(void)ioctl(s->master, TIOCSWINSZ, &size);
}

struct stdio *stdio_end(struct stdio *s, bool wait)
{
	if (!s)
		return NULL;
	pump_drain(s->streams[1].pump, wait);
	pump_drain(s->streams[2].pump, wait);
	/* It was cut off: what we have to say begins on a line of its own. */
	if (!wait && !s->detached && s->streams[2].midline)
		(void)dprintf(STDERR_FILENO, "\n");
	for (int i = 0; i < 3; i++) {
		pump_free(s->streams[i].pump);
		close_fd(s->streams[i].fd);
	}
	if (s->raw)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &s->saved);
	close_fd(s->master);
	free(s);
	return NULL;
}

void stdio_ends_release(struct stdio_ends *e)
{
	for (int i = 0; i < 3; i++)
		e->fds[i] = close_fd(e->fds[i]);
}
