#include <stdio.h>

#include "base/text.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "cli/transfer-view.h"
#include "image/import.h"

#define MEGABYTE 1000000U

static void say_format(void *user, enum import_format f)
{
	struct transfer_view *v = user;

	transfer_view_end(v);
	fprintf(stderr, "%s: this is %s\n", v->name, import_format_describe(f));
}

static int import(struct import *i)
{
	struct transfer_view view;
	struct import_result result;
	struct error *error = NULL;
	int r;

	transfer_view_begin(&view, i->name);
	i->recognised = say_format;
	i->progress = transfer_view_show;
	i->user = &view;
	r = image_import(i, &result, &error);
	transfer_view_end(&view);
	if (r < 0)
		return cli_fail(error, EXIT_FAILED);
	fprintf(stderr, "%s: imported, %llu MB in %llu files, %u %s\n", i->name,
		(unsigned long long)(result.bytes / MEGABYTE), (unsigned long long)result.files,
		result.layers, result.layers == 1 ? "layer" : "layers");
	return EXIT_OK;
}

static int run_import(int argc, char **argv)
{
	const char *format = NULL;
	struct import i = { .format = IMPORT_FORMAT_MAX };
	const struct option_row rows[] = {
		{ .name = "format",
		  .value = "FORMAT",
		  .choices = import_format_names,
		  .help = "tar, directory, oci, docker, lxc or squashfs",
		  .text = &format },
		{ .name = "metadata",
		  .value = "FILE",
		  .help = "the other file of an LXC image server's pair",
		  .text = &i.metadata },
		{ .name = "suite",
		  .value = "SUITE",
		  .help = "release of its packages; default: as it says itself",
		  .text = &i.suite },
		{ 0 },
	};
	_cleanup_(image_owner_release) struct image_owner owner = IMAGE_OWNER_NONE;
	struct error *error = NULL;
	int first = options_parse(&cmd_image_import, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (argc - first != 2)
		return cli_usage(&cmd_image_import, "give a file or directory, and a name");
	if (format)
		i.format = import_format_from_string(format);
	if (i.suite && !name_is_valid(i.suite))
		return cli_usage(&cmd_image_import, "--suite needs the name of a release");
	i.path = argv[first];
	i.name = argv[first + 1];
	if (image_check_name(i.name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (image_owner_gather(&owner, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	i.home = owner.home;
	return import(&i);
}

const struct command cmd_image_import = {
	.noun = "image",
	.root_noun = "admin image",
	.name = "import",
	.arguments = "FILE|DIRECTORY IMAGE",
	.summary = "Make an image of what others have made",
	.run = run_import,
};
