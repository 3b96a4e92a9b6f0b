#include <stdio.h>

#include "app/facts.h"
#include "base/buf.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "cli/show-key.h"
#include "profile/load.h"

static const struct command cmd_list, cmd_show;

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

static int run_show(int argc, char **argv)
{
	const char *key = NULL;
	const struct option_row rows[] = {
		{ .name = "key",
		  .value = "KEY",
		  .help = "only the value of this key: Section.Key",
		  .text = &key },
		{ 0 },
	};
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;
	const char *name;
	int r = options_parse_single(&cmd_show, rows, "profile", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (facts_gather(&facts, &error) < 0 || profile_load(name, facts.home, &p, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	if (key)
		return show_key(p, key);
	text = profile_write(p);
	return cli_print(text);
}

static const struct command cmd_list = {
	.noun = "profile",
	.name = "list",
	.arguments = "",
	.summary = "List the profiles",
	.run = run_list,
};

static const struct command cmd_show = {
	.noun = "profile",
	.name = "show",
	.arguments = "PROFILE",
	.summary = "Print every setting of a profile",
	.run = run_show,
};

static const struct command *const verbs[] = {
	&cmd_list,	   &cmd_show, &cmd_profile_new, &cmd_profile_prepare, &cmd_profile_render,
	&cmd_profile_test, NULL
};

const struct command cmd_profile = {
	.name = "profile",
	.arguments = "VERB",
	.summary = "Look at profiles, and prepare homes for them",
	.verbs = verbs,
};
