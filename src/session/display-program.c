#include "session/display-program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/text.h"

#define DRAIN_MAX 64 /* chunks of output that are read after the end */

void program_init(struct program *p, const char *name, struct loop *loop, program_line_fn *line,
		  program_ended_fn *ended, void *user)
{
	*p = (struct program){
		.name = name,
		.loop = loop,
		.line = line,
		.ended = ended,
		.user = user,
		.child = CHILD_NONE,
		.output = -EBADF,
	};
}

static void end_line(struct program *p)
{
	p->text[p->used] = '\0';
	p->used = 0;
	if (!*p->text)
		return;
	memcpy(p->last, p->text, sizeof p->last);
	if (p->line)
		p->line(p->user, p->last);
}

static void take_text(struct program *p, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (data[i] == '\n')
			end_line(p);
		else if (p->used < sizeof p->text - 1)
			p->text[p->used++] = data[i];
	}
}

static void close_output(struct program *p)
{
	p->output_source = source_remove(p->output_source);
	p->output = close_fd(p->output);
}

/* Reads one chunk; false when there is nothing more for now. */
static bool read_output(struct program *p)
{
	char chunk[4096];
	ssize_t n = p->output >= 0 ? read(p->output, chunk, sizeof chunk) : -1;

	if (n > 0)
		take_text(p, chunk, (size_t)n);
	else if (n == 0 || (p->output >= 0 && errno != EAGAIN && errno != EINTR))
		close_output(p);
	return n > 0;
}

static void on_output(void *user, short revents)
{
	(void)revents;
	(void)read_output(user);
}

static void on_ended(void *user, int status)
{
	struct program *p = user;
	_cleanup_free_ char *last = NULL, *why = NULL;

	for (int i = 0; i < DRAIN_MAX && read_output(p); i++)
		;
	if (p->used)
		end_line(p);
	close_output(p);
	p->running = false;

	if (WIFSIGNALED(status)) {
		why = xasprintf("%s was killed by signal %d", p->name, WTERMSIG(status));
	} else {
		last = text_escape(p->last, PROGRAM_LINE_MAX);
		why = xasprintf("%s ended with status %d%s%s", p->name, WEXITSTATUS(status),
				*last ? ": " : "", last);
	}
	p->ended(p->user, why);
}

static void on_child(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct program *p = user;
	int status = 0;

	(void)revents;
	if (child_wait(&p->child, 0, &status, &error) == 0)
		return;
	p->child_source = source_remove(p->child_source);
	on_ended(p, status);
}

/* Makes the pipe; *ret_write is for the program. */
static int open_output(struct program *p, int *ret_write, struct error **err)
{
	int pair[2];

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe for %s", p->name);
	close_output(p);
	p->output = pair[0];
	p->used = 0;
	*p->last = '\0';
	*ret_write = pair[1];
	if (fcntl(p->output, F_SETFL, O_NONBLOCK) < 0) {
		int r = error_errno(err, "cannot set up the pipe of %s", p->name);

		*ret_write = close_fd(pair[1]);
		return r;
	}
	return 0;
}

static void watch_output(struct program *p)
{
	p->running = true;
	p->output_source = loop_add(p->loop, p->output, POLLIN, on_output, p);
}

int program_start(struct program *p, struct box *b, char *const *argv, char *const *env,
		  const char *cwd, int input, struct error **err)
{
	static const struct box_command_events events = { .ended = on_ended };
	_cleanup_close_ int write_end = -EBADF;
	struct box_command c = { .argv = argv, .env = env, .cwd = cwd };
	int r;

	r = open_output(p, &write_end, err);
	if (r < 0)
		return r;
	c.stdio[0] = input;
	c.stdio[1] = c.stdio[2] = write_end;
	r = box_spawn(b, &c, &events, p, err);
	if (r < 0)
		return r;
	watch_output(p);
	return 0;
}

int program_start_on_host(struct program *p, char *const *argv, char *const *env, int input,
			  int extra, struct error **err)
{
	_cleanup_close_ int write_end = -EBADF;
	int fds[4], r;
	struct spawn s = { .argv = argv, .env = env, .fds = fds, .n_fds = ARRAY_SIZE(fds) };

	r = open_output(p, &write_end, err);
	if (r < 0)
		return r;
	fds[0] = input;
	fds[1] = fds[2] = write_end;
	fds[3] = extra;
	r = spawn(&s, &p->child, err);
	if (r < 0)
		return r;
	p->child_source = loop_add(p->loop, p->child.pidfd, POLLIN, on_child, p);
	watch_output(p);
	return 0;
}

void program_kill_on_host(struct program *p)
{
	if (p->child.pid > 0)
		(void)syscall(SYS_pidfd_send_signal, p->child.pidfd, SIGKILL, NULL, 0);
}

void program_release(struct program *p)
{
	if (!p->name)
		return; /* never initialised */
	p->child_source = source_remove(p->child_source);
	child_end(&p->child);
	close_output(p);
	p->running = false;
}
