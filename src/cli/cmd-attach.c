/* attach and detach: the same call with another request. */

#include "app/control-client.h"
#include "cli/cli.h"
#include "cli/options.h"

static int ask(const struct command *c, enum control_message request, int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	_cleanup_close_ int fd = -EBADF;
	struct error *error = NULL;
	const char *name;
	int r = options_parse_single(c, rows, "sandbox", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (control_connect(name, &fd, NULL, &error) < 0 || control_ask(fd, request, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return EXIT_OK;
}

static int run_attach(int argc, char **argv)
{
	return ask(&cmd_attach, CONTROL_ATTACH, argc, argv);
}

static int run_detach(int argc, char **argv)
{
	return ask(&cmd_detach, CONTROL_DETACH, argc, argv);
}

const struct command cmd_attach = {
	.name = "attach",
	.arguments = "ID",
	.summary = "Show the windows of a sandbox again",
	.run = run_attach,
};

const struct command cmd_detach = {
	.name = "detach",
	.arguments = "ID",
	.summary = "Hide the windows of a sandbox, which runs on",
	.run = run_detach,
};
