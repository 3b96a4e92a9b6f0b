#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/inotify.h>

#include "app/log.h"
#include "app/registry.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/logs-denials.h"
#include "cli/options.h"

struct reader {
	int dir;	 /* of the sandbox */
	int fd;		 /* the log that is read now; -EBADF before the first */
	bool escapes;	 /* programs in a sandbox do not control the user's terminal */
	struct buf rest; /* the beginning of a character, whose rest was not written yet */
};

static int print(struct reader *l, const char *data, size_t size, struct error **err)
{
	_cleanup_buf_ struct buf text = { 0 }, shown = { 0 };
	size_t used;

	if (!l->escapes)
		return fs_write_all(STDOUT_FILENO, data, size, err);
	text = l->rest;
	l->rest = (struct buf){ 0 };
	buf_add(&text, data, size);
	used = text_escape_lines(&shown, text.data, text.size);
	buf_add(&l->rest, text.data + used, text.size - used);
	return fs_write_all(STDOUT_FILENO, shown.data, shown.size, err);
}

static int print_rest(struct reader *l, struct error **err)
{
	_cleanup_free_ char *shown = l->rest.size ? text_escape(l->rest.data, l->rest.size) : NULL;

	return shown ? fs_write_all(STDOUT_FILENO, shown, strlen(shown), err) : 0;
}

/* Prints what is new in one file. */
static int copy(struct reader *l, int fd, struct error **err)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof chunk)) > 0) {
		int r = print(l, chunk, (size_t)n, err);

		if (r < 0)
			return r;
	}
	return n < 0 ? error_errno(err, "cannot read the log") : 0;
}

/* Opens one of the two files; -EBADF where it is missing, which is no error: at the limit there is
 * no new one for a moment, and at the end none at all. */
static int open_log(const struct reader *l, const char *name, int *ret_fd, struct error **err)
{
	int r = fs_open_file(l->dir, name, ret_fd, err);

	if (r != -ENOENT)
		return r;
	*err = error_free(*err);
	*ret_fd = -EBADF;
	return 0;
}

/* Prints all that was not printed yet: the rest of the file that is read now, and if that is no
 * longer the log, what came after it. */
static int catch_up(struct reader *l, struct error **err)
{
	_cleanup_close_ int log = -EBADF, old = -EBADF;
	int r;

	/* In this order: a file cannot be missed by becoming the old one in between. */
	r = open_log(l, LOG_FILE, &log, err);
	if (r >= 0)
		r = open_log(l, LOG_FILE_OLD, &old, err);
	if (r >= 0 && l->fd >= 0)
		r = copy(l, l->fd, err);
	if (r < 0 || log < 0 || fs_is_same(log, l->fd))
		return r;
	if (old >= 0 && !fs_is_same(old, l->fd) && !fs_is_same(old, log))
		r = copy(l, old, err);
	close_fd(l->fd);
	l->fd = TAKE_FD(log);
	return r < 0 ? r : copy(l, l->fd, err);
}

/* Sleeps until something is written; returns 1 when the supervisor has ended. */
static int await_more(int watch, int supervisor, struct error **err)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct pollfd p[] = {
		{ .fd = supervisor, .events = POLLIN },
		{ .fd = watch, .events = POLLIN },
	};

	if (poll(p, ARRAY_SIZE(p), -1) < 0)
		return error_errno(err, "cannot wait for the log");
	if (p[1].revents && read(watch, events, sizeof events) < 0)
		return error_errno(err, "cannot watch the log");
	return p[0].revents != 0;
}

static int follow(struct reader *l, struct error **err)
{
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC), supervisor = -EBADF;
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", l->dir);
	int r;

	if (watch < 0 || inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_ONLYDIR) < 0)
		return error_errno(err, "cannot watch the log");
	r = registry_supervisor(l->dir, &supervisor, err);
	if (r == -ESRCH) {
		*err = error_free(*err);
		return 0;
	}
	while (r == 0) {
		r = catch_up(l, err);
		if (r >= 0)
			r = await_more(watch, supervisor, err);
	}
	return r < 0 ? r : catch_up(l, err);
}

static int show(const char *name, bool following, struct error **err)
{
	struct reader l = { .fd = -EBADF, .escapes = isatty(STDOUT_FILENO) };
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = registry_open_named(name, &dir, NULL, err);
	if (r < 0)
		return r;
	l.dir = dir;
	r = catch_up(&l, err);
	if (r >= 0 && following)
		r = follow(&l, err);
	if (r >= 0)
		r = print_rest(&l, err);
	close_fd(l.fd);
	buf_release(&l.rest);
	return r;
}

static int run(int argc, char **argv)
{
	bool following = false, denials = false, json = false;
	const struct option_row rows[] = {
		{ .name = "denials",
		  .help = "what was denied to it; without ID to all sandboxes",
		  .flag = &denials },
		{ .name = "follow",
		  .letter = 'f',
		  .help = "go on until the sandbox ends",
		  .flag = &following },
		{ .name = "json",
		  .help = "with --denials: an array of objects, for programs",
		  .flag = &json },
		{ 0 },
	};
	struct error *error = NULL;
	const char *name;
	int r = options_parse_optional(&cmd_logs, rows, "sandbox", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (denials)
		return logs_denials(name, json, following);
	if (json || !name)
		return cli_usage(&cmd_logs,
				 json ? "--json goes with --denials" : "give one sandbox");
	if (show(name, following, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return EXIT_OK;
}

const struct command cmd_logs = {
	.name = "logs",
	.arguments = "[ID]",
	.summary = "Print what its programs printed or were denied",
	.run = run,
};
