#include "app/facts.h"
#include "base/text.h"
#include "cli/image-build.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/store.h"

static int run_build(int argc, char **argv)
{
	struct build build = { 0 };
	const struct option_row rows[] = {
		{ .name = "suite",
		  .value = "SUITE",
		  .help = "release of the packages; default: the recipe's",
		  .text = &build.suite },
		{ .name = "fresh",
		  .help = "make every layer again, also if nothing has changed",
		  .flag = &build.fresh },
		{ .name = "offline",
		  .help = "of lists and packages that were fetched before",
		  .flag = &build.offline },
		{ 0 },
	};
	_cleanup_(build_result_release) struct build_result made = { 0 };
	_cleanup_(facts_release) struct facts facts = { 0 };
	struct error *error = NULL;
	int r = options_parse_single(&cmd_image_build, rows, "image", argc, argv, &build.name);

	if (r < 0)
		return options_status(r);
	if (build.suite && !name_is_valid(build.suite))
		return cli_usage(&cmd_image_build, "--suite needs the name of a release");
	if (image_check_name(build.name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (facts_gather(&facts, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	build.home = facts.home;
	return image_build_and_show(&build, &made);
}

const struct command cmd_image_build = {
	.noun = "image",
	.name = "build",
	.arguments = "IMAGE",
	.summary = "Make an image from packages, by its recipe",
	.run = run_build,
};
