#include <stdio.h>

#include "app/facts.h"
#include "app/stock.h"
#include "base/strv.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "profile/load.h"

static int render(const char *profile, char *const *arguments, const char *rootfs,
		  char **ret_config, char ***ret_left_out, struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(permit_freep) struct permit *permit = NULL;
	struct profile *p = NULL;
	int r;

	r = facts_gather(&facts, err);
	if (r < 0)
		return r;
	r = profile_load(profile, facts.home, &p, err);
	if (r >= 0)
		r = permit_make(p, &facts, NULL, &permit, err);
	if (r < 0)
		return r;
	if (permit_note(permit))
		fprintf(stderr, "vitrine: warning: %s\n", permit_note(permit));
	return stock_make(permit, &facts, arguments, rootfs, ret_config, ret_left_out, err);
}

static int run(int argc, char **argv)
{
	const char *rootfs = NULL;
	const struct option_row rows[] = {
		{ .name = "lxc",
		  .value = "DIR",
		  .help = "for the stock tools of LXC; DIR gets what lies over the image",
		  .text = &rootfs },
		{ 0 },
	};
	_cleanup_strv_ char **left_out = NULL;
	_cleanup_free_ char *config = NULL;
	struct error *error = NULL;
	int first = options_parse(&cmd_profile_render, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (first == argc)
		return cli_usage(&cmd_profile_render, "give one profile");
	if (!rootfs)
		return cli_usage(&cmd_profile_render, "--lxc is needed");
	if (render(argv[first], argv + first + 1, rootfs, &config, &left_out, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	for (char **what = left_out; what && *what; what++)
		fprintf(stderr, "vitrine: left out: %s\n", *what);
	return cli_print(config);
}

const struct command cmd_profile_render = {
	.noun = "profile",
	.name = "render",
	.arguments = "PROFILE [ARG...]",
	.summary = "Print a profile as a configuration for LXC",
	.run = run,
};
