#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "app/facts.h"
#include "app/launch.h"
#include "base/fs.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/first-image.h"
#include "cli/options.h"
#include "profile/load.h"

#define DEFAULT_PROFILE "default"

struct arguments {
	const char *profile_file; /* --profile */
	bool detach, timings;
	const char *display, *network; /* narrower than the profile */
	char **rest;		       /* PROFILE or "--", and what belongs to the application */
	bool program;		       /* `run -- ./PROGRAM` */
};

static int load_profile(const struct arguments *a, const char *home, struct profile **ret,
			struct error **err)
{
	if (a->profile_file)
		return profile_load_file(a->profile_file, ret, err);
	return profile_load(a->program ? DEFAULT_PROFILE : a->rest[0], home, ret, err);
}

/* `--display none` and the like: what a user may take away without touching a profile. */
static int narrow(const struct arguments *a, struct run_request *request, struct error **err)
{
	request->display = request->network = request->playback = -1;
	if (a->display && strcmp(a->display, "none"))
		return error_set(err, EINVAL, "--display can only be 'none'");
	if (a->network && strcmp(a->network, "none"))
		return error_set(err, EINVAL, "--network can only be 'none'");
	if (a->display)
		request->display = DISPLAY_NONE;
	if (a->network)
		request->network = NETWORK_NONE;
	return 0;
}

static void report_running(void *user, const char *id)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	(void)sock_send(*(int *)user, id, strlen(id), NULL, 0, &ignored);
}

static void report_failed(void *user, const char *why)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *message = xasprintf("!%s", why);

	(void)sock_send(*(int *)user, message, strlen(message), NULL, 0, &ignored);
}

/* The supervisor of a detached sandbox: a session of its own, no terminal, told by socket. */
static void __attribute__((noreturn)) run_detached(struct launch *l, int report)
{
	struct error *error = NULL;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), code;

	if (setsid() < 0 || null < 0)
		_exit(EXIT_SETUP);
	for (int fd = 0; fd < 3; fd++)
		if (dup2(null, fd) < 0)
			_exit(EXIT_SETUP);
	l->detached = true;
	l->running = report_running;
	l->failed = report_failed;
	l->user = &report;
	if (launch_run(l, &code, &error) >= 0)
		_exit(code);
	report_failed(&report, error->message);
	_exit(EXIT_SETUP);
}

/* The exit code of a supervisor whose application never ran. */
static int await_failed(pid_t pid)
{
	int status, r;

	do
		r = waitpid(pid, &status, 0);
	while (r < 0 && errno == EINTR);
	return r == pid && WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status)
								    : EXIT_SETUP;
}

/* Prints the id once the application runs, or says why it does not. */
static int detach(struct launch *l)
{
	_cleanup_free_ struct message *m = xmalloc(sizeof *m);
	_cleanup_close_ int ours = -EBADF, theirs = -EBADF;
	_cleanup_free_ char *line = NULL;
	struct error *error = NULL;
	int pair[2];
	pid_t pid;

	if (sock_pair(pair, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid < 0) {
		error_errno(&error, "cannot start a supervisor");
		return cli_fail(error, EXIT_SETUP);
	}
	if (pid == 0) {
		close_fd(ours);
		run_detached(l, theirs);
	}
	theirs = close_fd(theirs);
	if (sock_receive(ours, m, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	if (m->size == 0 || m->data[0] == '!') {
		error_set(&error, EIO, "%.*s", m->size ? (int)m->size - 1 : INT_MAX,
			  m->size ? m->data + 1 : "the sandbox ended before the application ran");
		return cli_fail(error, await_failed(pid));
	}
	line = xasprintf("%.*s\n", (int)m->size, m->data);
	return cli_print(line);
}

static int start(const struct arguments *a)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct launch l = { .timings = a->timings };
	struct error *error = NULL;
	int code, status;

	l.request.program = a->program ? a->rest[0] : NULL;
	l.request.arguments = a->rest + (a->profile_file ? 0 : 1);
	if (narrow(a, &l.request, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (facts_gather(&facts, &error) < 0 || load_profile(a, facts.home, &profile, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	l.profile = profile;
	status = first_image(&facts, profile, l.request.display);
	if (status != EXIT_OK)
		return status;
	if (a->detach)
		return detach(&l);
	if (launch_run(&l, &code, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	return code;
}

static int run(int argc, char **argv)
{
	struct arguments a = { 0 };
	const struct option_row rows[] = {
		{ .name = "profile",
		  .value = "FILE",
		  .help = "use the profile in FILE; all words are the application's",
		  .text = &a.profile_file },
		{ .name = "detach",
		  .help = "print the ID once the application runs, and return",
		  .flag = &a.detach },
		{ .name = "display",
		  .value = "none",
		  .help = "no windows, whatever the profile says",
		  .text = &a.display },
		{ .name = "network",
		  .value = "none",
		  .help = "no network, whatever the profile says",
		  .text = &a.network },
		{ .name = "timings",
		  .help = "print how long each phase of the start took",
		  .flag = &a.timings },
		{ 0 },
	};
	int first = options_parse(&cmd_run, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	a.program = first > 1 && !strcmp(argv[first - 1], "--") && !a.profile_file;
	a.rest = argv + first;
	if (first == argc && !a.profile_file)
		return cli_usage(&cmd_run, a.program ? "which program?" : "which profile?");
	return start(&a);
}

const struct command cmd_run = {
	.name = "run",
	.arguments = "PROFILE|-- PROGRAM [ARG...]",
	.summary = "Start an application in a new sandbox",
	.run = run,
};
