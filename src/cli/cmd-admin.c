#include <string.h>

#include "app/policies.h"
#include "cli/cli.h"
#include "cli/image-commands.h"
#include "cli/options.h"

static const struct command cmd_install_policies;

static int run_install_policies(int argc, char **argv)
{
	struct policies_wish wish = { 0 };
	bool remove = false;
	const struct option_row rows[] = {
		{ .name = "if-possible",
		  .help = "no error where the kernel has no AppArmor",
		  .flag = &wish.if_possible },
		{ .name = "remove",
		  .help = "unload the profiles and remove them",
		  .flag = &remove },
		{ .name = "root",
		  .value = "DIR",
		  .help = "into the system in DIR; nothing is loaded",
		  .text = &wish.root },
		{ 0 },
	};
	int first = options_parse(&cmd_install_policies, rows, argc, argv), r;
	_cleanup_free_ char *report = NULL;
	struct error *error = NULL;

	if (first < 0)
		return options_status(first);
	wish.users = argv + first;
	if ((remove || wish.root) && *wish.users)
		return cli_usage(&cmd_install_policies, "takes no user with --remove or --root");
	r = remove ? policies_remove(&wish, &report, &error)
		   : policies_install(&wish, &report, &error);
	return r < 0 ? cli_fail(error, EXIT_FAILED) : cli_print(report);
}

static const struct command cmd_install_policies = {
	.noun = "admin",
	.name = "install-policies",
	.arguments = "[USER...]",
	.summary = "Install and load the AppArmor profiles",
	.run = run_install_policies,
};

static const struct command *const verbs[] = { &cmd_install_policies, &cmd_admin_image, NULL };

const struct command cmd_admin = {
	.name = "admin",
	.arguments = "VERB",
	.summary = "Prepare this system, as root",
	.verbs = verbs,
	.as_root = true,
};
