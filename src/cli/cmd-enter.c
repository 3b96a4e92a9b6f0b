#include "app/control-client.h"
#include "cli/cli.h"
#include "cli/options.h"

static int run(int argc, char **argv)
{
	static char *const shell[] = { "/bin/sh", NULL };
	const struct option_row rows[] = { { 0 } };
	_cleanup_close_ int fd = -EBADF;
	struct error *error = NULL;
	int first = options_parse(&cmd_enter, rows, argc, argv), code;

	if (first < 0)
		return options_status(first);
	if (first == argc)
		return cli_usage(&cmd_enter, "which sandbox?");
	if (control_connect(argv[first], &fd, NULL, &error) < 0 ||
	    control_enter(fd, first + 1 < argc ? argv + first + 1 : shell, &code, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	return code;
}

const struct command cmd_enter = {
	.name = "enter",
	.arguments = "ID [COMMAND [ARG...]]",
	.summary = "Run a command (a shell) in a sandbox",
	.run = run,
};
