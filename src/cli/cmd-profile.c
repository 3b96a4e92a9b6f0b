#include <stdio.h>

#include "app/facts.h"
#include "base/buf.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "profile/load.h"

static const struct command cmd_list;

static int run_list(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_strv_ char **names = NULL;
	_cleanup_buf_ struct buf text = { 0 };
	struct error *error = NULL;
	int first = options_parse(&cmd_list, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (first != argc)
		return cli_usage(&cmd_list, "takes no argument");
	if (facts_gather(&facts, &error) < 0 || profile_list(facts.home, &names, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	for (char **name = names; name && *name; name++)
		buf_addf(&text, "%s\n", *name);
	return cli_print(text.data ? text.data : "");
}

static const struct command cmd_list = {
	.noun = "profile",
	.name = "list",
	.arguments = "",
	.summary = "List the profiles",
	.run = run_list,
};

/* clang-format off */
static const struct command *const verbs[] = {
	&cmd_list,
	&cmd_profile_show,
	&cmd_profile_explain,
	&cmd_profile_audit,
	&cmd_profile_diff,
	&cmd_profile_lint,
	&cmd_profile_keys,
	&cmd_profile_learn,
	&cmd_profile_new,
	&cmd_profile_prepare,
	&cmd_profile_test,
	&cmd_profile_trust,
	NULL,
};
/* clang-format on */

const struct command cmd_profile = {
	.name = "profile",
	.arguments = "VERB",
	.summary = "Look at profiles, and prepare homes for them",
	.verbs = verbs,
};
