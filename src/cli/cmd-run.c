#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "app/arguments.h"
#include "app/control-client.h"
#include "app/facts.h"
#include "app/hand-over.h"
#include "app/instance.h"
#include "app/launch.h"
#include "app/registry.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/first-image.h"
#include "cli/held.h"
#include "cli/options.h"
#include "cli/trace.h"
#include "profile/load.h"

#define DEFAULT_PROFILE "default"
#define HAND_OVER_MS	10000

struct arguments {
	const char *profile_file; /* --profile */
	bool detach, timings, review, trace, json;
	const char *trace_file;
	const char *display, *network; /* narrower than the profile */
	char **rest;		       /* PROFILE or "--", and what belongs to the application */
	bool program;		       /* `run -- ./PROGRAM` */
};

static int load_profile(const struct arguments *a, const char *home, struct profile **ret,
			struct error **err)
{
	if (a->profile_file)
		return profile_load_file(a->profile_file, home, ret, err);
	return profile_load(a->program ? DEFAULT_PROFILE : a->rest[0], home, ret, err);
}

/* `--display none` and the like: what a user may take away without touching a profile. */
static int make_permit(const struct arguments *a, const struct facts *facts, struct permit **ret,
		       struct error **err)
{
	struct permit_wish wishes[3] = { 0 };
	struct profile *profile = NULL;
	size_t n = 0;
	int r;

	if (a->display)
		wishes[n++] = (struct permit_wish){ "Display", "Backend", a->display, "--display" };
	if (a->network)
		wishes[n++] = (struct permit_wish){ "Network", "Mode", a->network, "--network" };
	r = load_profile(a, facts->home, &profile, err);
	return r < 0 ? r : permit_make(profile, facts, wishes, ret, err);
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

static void report_note(void *user, const char *note)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *message = xasprintf("~%s", note);

	(void)sock_send(*(int *)user, message, strlen(message), NULL, 0, &ignored);
}

static void print_note(void *user, const char *note)
{
	(void)user;
	fprintf(stderr, "vitrine: warning: %s\n", note);
}

static void print_explanation(void *user, const char *why)
{
	(void)user;
	fprintf(stderr, "vitrine: %s\n", why);
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
	l->noted = report_note;
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
	for (;;) {
		if (sock_receive(ours, m, &error) < 0)
			return cli_fail(error, EXIT_SETUP);
		if (m->size == 0 || m->data[0] != '~')
			break;
		fprintf(stderr, "vitrine: warning: %.*s\n", (int)m->size - 1, m->data + 1);
	}
	if (m->size == 0 || m->data[0] == '!') {
		error_set(&error, EIO, "%.*s", m->size ? (int)m->size - 1 : INT_MAX,
			  m->size ? m->data + 1 : "the sandbox ended before the application ran");
		return cli_fail(error, await_failed(pid));
	}
	line = xasprintf("%.*s\n", (int)m->size, m->data);
	return cli_print(line);
}

/* Which of the words are files is said by the profile. */
static int read_words(const struct profile *p, char *const *words, const char *home,
		      struct arguments_given *ret, struct error **err)
{
	_cleanup_(protection_release) struct protection protection = { 0 };
	int r;

	/* It looks at several hundred places. */
	r = *words ? protection_gather(home, &protection, err) : 0;
	if (r < 0)
		return r;
	return arguments_parse(p->file_arguments, words, &protection, ret, err);
}

/* The one sandbox that the profile may have: claimed by this process, or the one that runs, which
 * has the files now. */
struct instance {
	int lock;
	char *running; /* its id; NULL: this process is to start it */
	char **argv;   /* the application's command there */
};

static void instance_release(struct instance *i)
{
	close_fd(i->lock);
	free(i->running);
	strv_free(i->argv);
}

/* One that ends just now cannot take files any more: then this is the first. */
static int find_instance(const struct profile *p, struct arguments_given *words,
			 struct instance *ret, struct error **err)
{
	const uint64_t deadline = now_ms() + HAND_OVER_MS;
	_cleanup_strv_ char **command = NULL;
	_cleanup_close_ int runtime = -EBADF;
	int r;

	strv_add(&command, p->command);
	strv_add_all(&command, p->arguments);
	r = runtime_open(&runtime, err);
	while (r >= 0) {
		r = instance_claim(runtime, p->name, &ret->lock, &ret->running, err);
		if (r < 0 || !ret->running)
			return r;
		r = hand_over(ret->running, words, command, &ret->argv, err);
		if (r >= 0 || !hand_over_was_too_late(r) || now_ms() > deadline)
			return r;
		*err = error_free(*err);
		free(ret->running);
		ret->running = NULL;
		r = 0;
	}
	return r;
}

/* The command finds the first one on the bus of the sandbox, and leaves the files to it. */
static int join(const struct instance *i, bool detached, int *ret_code, struct error **err)
{
	_cleanup_free_ char *line = xasprintf("%s\n", i->running);
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = control_connect(i->running, &fd, NULL, err);
	if (r < 0)
		return r;
	r = control_enter(fd, i->argv, ret_code, err);
	if (r >= 0 && detached && *ret_code == EXIT_OK)
		*ret_code = cli_print(line);
	return r;
}

static int start_review(void *user, const char *id, struct child *ret, struct error **err)
{
	char *const words[] = { (char *)"review", (char *)id, NULL };

	(void)user;
	return held_start(words, ret, err);
}

/* Before anything is started that nobody could be asked about. */
static int check_review(const struct arguments *a, struct error **err)
{
	if (!a->review || (!a->detach && isatty(STDIN_FILENO) && isatty(STDERR_FILENO)))
		return 0;
	return error_set(err, ENOTTY, "--review asks at a terminal: %s",
			 a->detach ? "it is not for --detach" : "there is none");
}

static bool is_traced(const struct arguments *a)
{
	return a->trace || a->trace_file;
}

static int check_trace(const struct arguments *a, struct error **err)
{
	if (a->json && !is_traced(a))
		return error_set(err, EINVAL, "--json goes with --trace");
	if (a->detach && is_traced(a) && !a->trace_file)
		return error_set(err, EINVAL,
				 "--detach leaves no place to print to: give "
				 "--trace-file");
	return 0;
}

/* Prints what is denied meanwhile. */
static int launch_traced(struct launch *l, const struct arguments *a)
{
	_cleanup_(trace_release) struct trace t = { .fd = -EBADF };
	struct error *error = NULL;
	int code;

	if (trace_open(&t, a->trace_file, a->json, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	l->watch = &t.watch;
	if (a->detach)
		return detach(l);
	return launch_run(l, &code, &error) < 0 ? cli_fail(error, EXIT_SETUP) : code;
}

static int start(const struct arguments *a)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(permit_freep) struct permit *permit = NULL;
	_cleanup_(arguments_release) struct arguments_given words = { 0 };
	_cleanup_(instance_release) struct instance instance = { .lock = -EBADF };
	struct launch l = { .timings = a->timings, .arguments = &words };
	const struct profile *profile;
	struct error *error = NULL;
	int code, status;

	l.request.program = a->program ? a->rest[0] : NULL;
	if (check_trace(a, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (check_review(a, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	if (facts_gather(&facts, &error) < 0 || make_permit(a, &facts, &permit, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	profile = permit_profile(permit);
	if (read_words(profile, a->rest + (a->profile_file ? 0 : 1), facts.home, &words, &error) <
	    0)
		return cli_fail(error, EXIT_SETUP);
	l.permit = permit;
	status = first_image(&facts, profile, false);
	if (status != EXIT_OK)
		return status;
	if (profile->single_instance && !a->program &&
	    find_instance(profile, &words, &instance, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	if (instance.running && (a->display || a->network || a->review || is_traced(a))) {
		error_set(&error, EBUSY,
			  "sandbox '%s' runs already, with options of its own: 'vitrine "
			  "stop "
			  "%s' first",
			  instance.running, instance.running);
		return cli_fail(error, EXIT_SETUP);
	}
	if (instance.running) {
		if (join(&instance, a->detach, &code, &error) < 0)
			return cli_fail(error, EXIT_SETUP);
		return code;
	}
	l.instance = instance.lock;
	if (!a->detach) {
		l.noted = print_note;
		l.explained = print_explanation;
		l.held = a->review ? start_review : NULL;
	}
	if (is_traced(a))
		return launch_traced(&l, a);
	if (a->detach)
		return detach(&l);
	if (launch_run(&l, &code, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	return code;
}

static int run(int argc, char **argv)
{
	static const char *const none[] = { "none", NULL };
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
		  .choices = none,
		  .help = "no windows, whatever the profile says",
		  .text = &a.display },
		{ .name = "network",
		  .value = "none",
		  .choices = none,
		  .help = "no network, whatever the profile says",
		  .text = &a.network },
		{ .name = "review",
		  .help = "ask at the end which files to keep",
		  .flag = &a.review },
		{ .name = "trace",
		  .help = "print each system call that is denied, on stderr",
		  .flag = &a.trace },
		{ .name = "trace-file",
		  .value = "FILE",
		  .help = "the same into a file",
		  .text = &a.trace_file },
		{ .name = "json",
		  .help = "with --trace: an object in each line, for programs",
		  .flag = &a.json },
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
