#include <stdio.h>
#include <string.h>

#include "app/facts.h"
#include "base/text.h"
#include "cli/image-build.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/store.h"

static bool ask(const char *name)
{
	char answer[16] = "";

	fprintf(stderr, "vitrine: there is an image '%s' already. Build it anew? [y/N] ", name);
	if (read(STDIN_FILENO, answer, sizeof answer - 1) <= 0)
		return false;
	return !strcmp(answer, "y\n") || !strcmp(answer, "yes\n");
}

static int run_build(int argc, char **argv)
{
	const char *suite = NULL;
	bool yes = false;
	const struct option_row rows[] = {
		{ .name = "suite",
		  .value = "SUITE",
		  .help = "release of the packages; default: the recipe's",
		  .text = &suite },
		{ .name = "yes", .help = "replace an image without a question", .flag = &yes },
		{ 0 },
	};
	_cleanup_(facts_release) struct facts facts = { 0 };
	struct error *error = NULL;
	const char *name;
	int r = options_parse_single(&cmd_image_build, rows, "image", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (suite && !name_is_valid(suite))
		return cli_usage(&cmd_image_build, "--suite needs the name of a release");
	if (image_check_name(name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (facts_gather(&facts, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	if (!yes && isatty(STDIN_FILENO) && isatty(STDERR_FILENO) &&
	    image_is_there(facts.home, name) && !ask(name))
		return EXIT_OK;
	return image_build_and_show(facts.home, name, suite);
}

const struct command cmd_image_build = {
	.noun = "image",
	.name = "build",
	.arguments = "IMAGE",
	.summary = "Make an image from packages, by its recipe",
	.run = run_build,
};
