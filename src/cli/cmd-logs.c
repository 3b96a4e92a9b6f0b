#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/file.h>

#include "app/log.h"
#include "app/registry.h"
#include "base/fs.h"
#include "cli/cli.h"
#include "cli/options.h"

/* Copies what is new in the log. */
static int copy_rest(int fd, struct error **err)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof chunk)) > 0) {
		int r = fs_write_all(STDOUT_FILENO, chunk, (size_t)n, err);

		if (r < 0)
			return r;
	}
	return n < 0 ? error_errno(err, "cannot read the log") : 0;
}

/* Sleeps until the log grows; returns 1 when the sandbox has ended and its directory is gone. */
static int await_more(int watch, struct error **err)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t n = read(watch, events, sizeof events);

	if (n < 0)
		return error_errno(err, "cannot watch the log");
	for (char *p = events; p < events + n;) {
		const struct inotify_event *e = (const void *)p;

		if (e->mask & (IN_DELETE_SELF | IN_IGNORED))
			return 1;
		p += sizeof *e + e->len;
	}
	return 0;
}

static int follow(int dir, int fd, struct error **err)
{
	_cleanup_close_ int watch = inotify_init1(IN_CLOEXEC);
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", dir);
	int r;

	if (watch < 0 ||
	    inotify_add_watch(watch, path, IN_MODIFY | IN_CREATE | IN_DELETE_SELF | IN_ONLYDIR) < 0)
		return error_errno(err, "cannot watch the log");
	do {
		r = copy_rest(fd, err);
		if (r < 0)
			return r;
		r = await_more(watch, err);
	} while (r == 0);
	return r < 0 ? r : copy_rest(fd, err);
}

static int show(const char *name, bool following, struct error **err)
{
	_cleanup_close_ int runtime = -EBADF, dir = -EBADF, fd = -EBADF;
	_cleanup_free_ char *id = NULL;
	int r;

	r = runtime_open(&runtime, err);
	if (r < 0)
		return r;
	r = registry_find(runtime, name, &id, err);
	if (r < 0)
		return r;
	r = registry_open(runtime, id, &dir, err);
	if (r < 0)
		return r;
	r = fs_open_file(dir, LOG_FILE, &fd, err);
	if (r < 0)
		return r;
	return following ? follow(dir, fd, err) : copy_rest(fd, err);
}

static int run(int argc, char **argv)
{
	bool following = false;
	const struct option_row rows[] = {
		{ .name = "follow",
		  .help = "go on until the sandbox ends (also -f)",
		  .flag = &following },
		{ 0 },
	};
	struct error *error = NULL;
	int first;

	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] == 'f' && !argv[i][2])
			argv[i] = (char *)"--follow";
	first = options_parse(&cmd_logs, rows, argc, argv);
	if (first < 0)
		return options_status(first);
	/* "logs ID -f" is as good as "logs -f ID". */
	if (first + 2 == argc && argv[argc - 1][0] == '-' && argv[argc - 1][2] == 'f') {
		following = true;
		argc--;
	}
	if (first + 1 != argc)
		return cli_usage(&cmd_logs, "give one sandbox");
	if (show(argv[first], following, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return EXIT_OK;
}

const struct command cmd_logs = {
	.name = "logs",
	.arguments = "[-f] ID",
	.summary = "Print what the programs of a sandbox have printed",
	.run = run,
};
