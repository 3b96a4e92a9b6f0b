/* vitrine: the command line. Finds the command, gives it a clean process, and reports once. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/signals.h"
#include "cli/commands.h"
#include "cli/table.h"
#include "config.h"

static int for_root(const struct command *c)
{
	_cleanup_free_ char *call = command_call(c);
	struct error *error = NULL;

	error_set(&error, EPERM, "'%s' is for root: 'sudo vitrine %s ...'", call, call);
	return cli_fail(error, EXIT_USAGE);
}

static int dispatch(const struct command *c, int argc, char **argv)
{
	const struct command *verb;

	if (c->run)
		return c->run(argc, argv);
	if (argc < 2)
		return cli_usage(c, "'%s' needs a verb", c->name);
	if (!strcmp(argv[1], "--help"))
		return commands_help_noun(c);
	verb = commands_find(c->verbs, argv[1]);
	if (verb && c->only_root && getuid() != 0 && strcmp(argv[argc - 1], "--help"))
		return for_root(c);
	return verb ? dispatch(verb, argc - 1, argv + 1) : commands_unknown(c, argv[1]);
}

/* A caller may have left anything: other descriptors than the standard ones, or not even these;
 * ignored signals, odd limits. */
static int normalise(struct error **err)
{
	struct rlimit files;
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return error_errno(err, "cannot open /dev/null");
	if (syscall(SYS_close_range, 3U, ~0U, 0) < 0)
		return error_errno(err, "cannot close what the caller left open");
	signals_reset();
	/* Started by /proc/self/exe (cli/held.h) it would be "exe". */
	(void)prctl(PR_SET_NAME, "vitrine");
	/* What cannot be written is an error, not the end. */
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL);
	umask(022);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
		files.rlim_cur = files.rlim_max < 4096 ? files.rlim_max : 4096;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	return 0;
}

static int refuse_root(struct error **err)
{
	if (getuid() == 0 || geteuid() == 0)
		return error_set(
			err, EPERM,
			"does not run as root: call it as the user who sits at the desktop");
	if (getuid() != geteuid() || getgid() != getegid())
		return error_set(
			err, EPERM,
			"must not be installed set-user-ID or set-group-ID: chmod u-s,g-s");
	return 0;
}

/* `VERB --help` or `NOUN VERB --help`, and nothing more. */
static bool is_call_for_help(int argc, char **argv)
{
	int last = commands_find(commands, argv[1])->verbs ? 3 : 2;

	return argc == last + 1 && !strcmp(argv[last], "--help");
}

int main(int argc, char **argv)
{
	const struct command *c;
	struct error *error = NULL;

	if (argc < 1)
		return EXIT_USAGE;
	if (normalise(&error) < 0)
		return cli_fail(error, EXIT_SETUP);
	if (argc < 2) {
		commands_help();
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help"))
		return commands_help();
	if (!strcmp(argv[1], "--version"))
		return cli_print(PACKAGE_STRING "\n");
	if (!strcmp(argv[1], "--table"))
		return table_print();
	c = commands_find(commands, argv[1]);
	if (!c)
		return commands_unknown(NULL, argv[1]);
	if (!c->as_root && !is_call_for_help(argc, argv) && refuse_root(&error) < 0)
		return cli_fail(error, EXIT_SETUP);
	return dispatch(c, argc - 1, argv + 1);
}
