#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "app/facts.h"
#include "base/buf.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/image-build.h"
#include "cli/options.h"
#include "image/store.h"

#define MEGABYTE 1000000U

static const struct command cmd_build, cmd_list, cmd_rm;

/* --- build ------------------------------------------------------------------------------------ */

static bool is_there(const char *home, const char *name)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *root = NULL;

	return image_find(home, name, &root, &error) == 0;
}

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
	int r = options_parse_single(&cmd_build, rows, "image", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (suite && !name_is_valid(suite))
		return cli_usage(&cmd_build, "--suite needs the name of a release");
	if (image_check_name(name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (facts_gather(&facts, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	if (!yes && isatty(STDIN_FILENO) && isatty(STDERR_FILENO) && is_there(facts.home, name) &&
	    !ask(name))
		return EXIT_OK;
	return image_build_and_show(facts.home, name, suite);
}

/* --- list ------------------------------------------------------------------------------------- */

static int print_table(const struct image_info *list, size_t n)
{
	_cleanup_buf_ struct buf text = { 0 };

	buf_addf(&text, "%-20s %-12s %8s %8s %9s  %s\n", "NAME", "SUITE", "MB", "FILES", "PACKAGES",
		 "CREATED");
	for (size_t i = 0; i < n; i++) {
		const struct image_info *image = &list[i];
		_cleanup_free_ char *suite = text_escape(image->suite, 32);
		_cleanup_free_ char *created = text_escape(image->created, 32);

		buf_addf(&text, "%-20s %-12s %8llu %8llu %9u  %s\n", image->name, suite,
			 (unsigned long long)(image->bytes / MEGABYTE),
			 (unsigned long long)image->files, image->packages, created);
	}
	return cli_print(text.data);
}

static int print_json(const struct image_info *list, size_t n)
{
	json_auto_t *all = json_array();
	_cleanup_free_ char *text = NULL;
	_cleanup_free_ char *line = NULL;

	for (size_t i = 0; i < n; i++)
		json_array_append_new(all,
				      json_pack("{ss ss ss sI sI sI}", "name", list[i].name,
						"suite", list[i].suite, "created", list[i].created,
						"bytes", (json_int_t)list[i].bytes, "files",
						(json_int_t)list[i].files, "packages",
						(json_int_t)list[i].packages));
	text = json_dumps(all, JSON_INDENT(2));
	line = xasprintf("%s\n", text ? text : "[]");
	return cli_print(line);
}

static int run_list(int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_(facts_release) struct facts facts = { 0 };
	struct image_info *list = NULL;
	struct error *error = NULL;
	int first = options_parse(&cmd_list, rows, argc, argv), status;
	size_t n = 0;

	if (first < 0)
		return options_status(first);
	if (first != argc)
		return cli_usage(&cmd_list, "takes no argument");
	if (facts_gather(&facts, &error) < 0 || image_list(facts.home, &list, &n, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	status = json ? print_json(list, n) : print_table(list, n);
	image_list_free(list, n);
	return status;
}

/* --- rm --------------------------------------------------------------------------------------- */

static int run_rm(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	_cleanup_(facts_release) struct facts facts = { 0 };
	struct error *error = NULL;
	const char *name;
	int r = options_parse_single(&cmd_rm, rows, "image", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (image_check_name(name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (facts_gather(&facts, &error) < 0 || image_remove(facts.home, name, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return EXIT_OK;
}

static const struct command cmd_build = {
	.noun = "image",
	.name = "build",
	.arguments = "IMAGE",
	.summary = "Make an image from packages, by its recipe",
	.run = run_build,
};

static const struct command cmd_list = {
	.noun = "image",
	.name = "list",
	.arguments = "",
	.summary = "List the images",
	.run = run_list,
};

static const struct command cmd_rm = {
	.noun = "image",
	.name = "rm",
	.arguments = "IMAGE",
	.summary = "Remove an image that no sandbox uses",
	.run = run_rm,
};

static const struct command *const verbs[] = { &cmd_build, &cmd_list, &cmd_rm, NULL };

const struct command cmd_image = {
	.name = "image",
	.arguments = "VERB",
	.summary = "Make, list and remove images",
	.verbs = verbs,
};
