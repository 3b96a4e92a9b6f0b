/* vitrine: the command line. Finds the command, gives it a clean process, and reports once. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/buf.h"
#include "base/signals.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/cli.h"
#include "config.h"

/* clang-format off */
static const struct command *const commands[] = {
	&cmd_run, &cmd_ps, &cmd_stop, &cmd_enter, &cmd_share, &cmd_unshare, &cmd_pick, &cmd_changes,
	&cmd_keep, &cmd_review, &cmd_logs, &cmd_top, &cmd_attach, &cmd_detach, &cmd_doctor,
	&cmd_profile, &cmd_home, &cmd_image, &cmd_admin, NULL,
};
/* clang-format on */

/* `above` are the words before a command of the table, with a blank at their end. A noun behind a
 * noun is one line. */
static void describe(struct buf *text, const char *above, const struct command *const *table)
{
	for (; *table; table++) {
		_cleanup_free_ char *call = xasprintf("%s%s ", above, (*table)->name);
		_cleanup_free_ char *left = xasprintf("%s%s", call, (*table)->arguments);

		if ((*table)->verbs && !*above)
			describe(text, call, (*table)->verbs);
		else
			buf_addf(text, "  %-31s %s\n", left, (*table)->summary);
	}
}

static int help(void)
{
	_cleanup_buf_ struct buf text = { 0 };

	buf_adds(&text, "Usage: vitrine COMMAND [OPTION...] [ARGUMENT...]\n"
			"Runs desktop applications in throw-away containers.\n\nCommands:\n");
	describe(&text, "", commands);
	buf_adds(&text, "\n'vitrine COMMAND --help' tells more; the manual is vitrine(1).\n");
	return cli_print(text.data);
}

static int help_noun(const struct command *noun)
{
	_cleanup_free_ char *call = command_call(noun), *above = xasprintf("%s ", call);
	_cleanup_buf_ struct buf text = { 0 };

	buf_addf(&text, "Usage: vitrine %s %s [OPTION...] [ARGUMENT...]\n%s.\n\nVerbs:\n", call,
		 noun->arguments, noun->summary);
	describe(&text, above, noun->verbs);
	return cli_print(text.data);
}

static const struct command *find(const struct command *const *table, const char *name)
{
	for (; *table; table++)
		if (!strcmp((*table)->name, name))
			return *table;
	return NULL;
}

/* `noun` is NULL where the name is not behind one. */
static int unknown(const struct command *noun, const char *name)
{
	const struct command *const *table = noun ? noun->verbs : commands;
	_cleanup_free_ char *call = noun ? command_call(noun) : xstrdup("");
	const char *what = noun ? "verb" : "command";
	_cleanup_free_ char *shown = text_escape(name, 64);
	_cleanup_strv_ char **names = NULL;
	struct error *error = NULL;
	const char *near;

	for (; *table; table++)
		strv_add(&names, (*table)->name);
	near = text_suggest(name, names);
	if (near)
		error_set(&error, EINVAL, "unknown %s '%s': did you mean '%s'?", what, shown, near);
	else
		error_set(&error, EINVAL, "unknown %s '%s': see 'vitrine %s%s--help'", what, shown,
			  call, noun ? " " : "");
	return cli_fail(error, EXIT_USAGE);
}

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
		return help_noun(c);
	verb = find(c->verbs, argv[1]);
	if (verb && c->only_root && getuid() != 0 && strcmp(argv[argc - 1], "--help"))
		return for_root(c);
	return verb ? dispatch(verb, argc - 1, argv + 1) : unknown(c, argv[1]);
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
	int last = find(commands, argv[1])->verbs ? 3 : 2;

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
		help();
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return help();
	if (!strcmp(argv[1], "--version"))
		return cli_print(PACKAGE_STRING "\n");
	c = find(commands, argv[1]);
	if (!c)
		return unknown(NULL, argv[1]);
	if (!c->as_root && !is_call_for_help(argc, argv) && refuse_root(&error) < 0)
		return cli_fail(error, EXIT_SETUP);
	return dispatch(c, argc - 1, argv + 1);
}
