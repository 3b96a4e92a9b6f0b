#include "session/bus.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include "base/buf.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"

#define START_MS   10000
#define SAID_MAX   4096U
#define NOT_FOUND  127 /* as box_spawn() says */
#define REASON_MAX 512U

struct bus {
	struct loop *loop;
	box_lost_fn *lost;
	void *user;
	char *address;

	/* Its standard output and error. Once the address was there it is not read any more, and
	 * not closed either: services that it starts have it too. Whoever writes there gets EAGAIN
	 * once it is full. */
	int said_fd;
	struct source *said_source;
	struct buf said;

	bool ready; /* its address was on a line of its own */
	bool ended;
	int status;
	bool waited; /* for either of the two */
};

/* Is the address one of the lines? The unique id follows it (",guid=..."). */
static bool has_said_address(const struct bus *b)
{
	size_t n = strlen(b->address);

	for (const char *line = b->said.data; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, b->address, n) && line[n] == ',' && strchr(line, '\n'))
			return true;
	}
	return false;
}

static void on_said(void *user, short revents)
{
	struct bus *b = user;
	char text[512];
	ssize_t n = read(b->said_fd, text, sizeof text);

	(void)revents;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		buf_add(&b->said, text, strnlen(text, (size_t)n));
	b->ready = n > 0 && has_said_address(b);
	if (n <= 0 || b->ready || b->said.size >= SAID_MAX) {
		b->said_source = source_remove(b->said_source);
		b->waited = true;
	}
}

static void on_ended(void *user, int status)
{
	struct bus *b = user;
	_cleanup_free_ char *why = NULL;

	b->ended = true;
	b->status = status;
	if (!b->waited) {
		b->waited = true;
		return;
	}
	why = xasprintf("the message bus of the sandbox ended (status %d)",
			status_to_exit_code(status));
	if (b->lost)
		b->lost(b->user, why);
}

/* What it said, on one line; owned by the caller. */
static char *reason(struct bus *b)
{
	if (b->ended)
		on_said(b, 0);
	while (b->said.size && b->said.data[b->said.size - 1] == '\n')
		b->said.data[--b->said.size] = '\0';
	for (size_t i = 0; i < b->said.size; i++)
		if (b->said.data[i] == '\n')
			b->said.data[i] = ' ';
	return b->said.size ? text_escape(b->said.data, REASON_MAX) : xstrdup("it gave no reason");
}

/* The configuration is that of the image; of it, only the address is replaced, which would be one
 * below /tmp. */
static int spawn_daemon(struct bus *b, struct box *app, const struct box_plan *box, int said,
			struct error **err)
{
	static const struct box_command_events events = { .ended = on_ended };
	_cleanup_free_ char *address = xasprintf("--address=%s", b->address);
	char *const argv[] = {
		"dbus-daemon", "--session", "--nofork",		 "--nopidfile",
		"--nosyslog",  address,	    "--print-address=1", NULL,
	};
	struct box_command c = {
		.argv = argv,
		.env = box->environment,
		.cwd = box->home,
		.stdio = { -EBADF, said, said },
	};

	return box_spawn(app, &c, &events, b, err);
}

static int start_daemon(struct bus *b, struct box *app, const struct box_plan *box,
			struct error **err)
{
	_cleanup_close_ int theirs = -EBADF;
	int pipe_fds[2], r;

	if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_errno(err, "cannot make a pipe");
	b->said_fd = pipe_fds[0];
	theirs = pipe_fds[1];
	r = spawn_daemon(b, app, box, theirs, err);
	if (r < 0)
		return r;
	b->said_source = loop_add(b->loop, b->said_fd, POLLIN, on_said, b);
	return 0;
}

static int await_daemon(struct bus *b, const struct plan *plan, struct error **err)
{
	_cleanup_free_ char *why = NULL;
	int r;

	r = loop_run(b->loop, &b->waited, START_MS, err);
	if (r < 0)
		return r;
	b->waited = true;
	if (b->ready && !b->ended)
		return 0;
	if (b->ended && status_to_exit_code(b->status) == NOT_FOUND)
		return error_set(
			err, ENOENT,
			"image '%s' has no dbus-daemon: add this package to its recipe, and "
			"'vitrine image build %s'",
			plan->image, plan->image);
	why = reason(b);
	return error_set(err, EIO, "dbus-daemon of image '%s' %s: %s", plan->image,
			 r == 0 ? "was not ready in time" : "did not start", why);
}

int bus_start(struct box *app, const struct plan *plan, struct loop *loop, box_lost_fn *lost,
	      void *user, struct bus **ret, struct error **err)
{
	_cleanup_(bus_endp) struct bus *b = xcalloc(1, sizeof *b);
	const struct box_plan *box = &plan->boxes[BOX_APP];
	int r;

	*b = (struct bus){
		.loop = loop,
		.lost = lost,
		.user = user,
		.address = xasprintf("unix:path=/run/user/%u/bus", box->uid),
		.said_fd = -EBADF,
	};
	r = start_daemon(b, app, box, err);
	if (r >= 0)
		r = await_daemon(b, plan, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(b);
	return 0;
}

struct bus *bus_end(struct bus *b)
{
	if (!b)
		return NULL;
	source_remove(b->said_source);
	close_fd(b->said_fd);
	buf_release(&b->said);
	free(b->address);
	free(b);
	return NULL;
}
