#include <string.h>
#include <unistd.h>

#include "cli/image-commands.h"
#include "cli/options.h"
#include "cli/transfer-view.h"
#include "image/save.h"

static int save(struct save *s)
{
	struct transfer_view view;
	struct error *error = NULL;
	int r;

	transfer_view_begin(&view, s->name);
	s->progress = transfer_view_show;
	s->user = &view;
	r = image_save(s, &error);
	transfer_view_end(&view);
	return r < 0 ? cli_fail(error, EXIT_FAILED) : EXIT_OK;
}

static int run_save(int argc, char **argv)
{
	const char *format = "tar";
	struct save s = { 0 };
	const struct option_row rows[] = {
		{ .name = "format",
		  .value = "FORMAT",
		  .choices = save_format_names,
		  .help = "tar (the default), squashfs, erofs or oci",
		  .text = &format },
		{ .name = "output",
		  .value = "FILE",
		  .help = "default: standard output; FILE/ is a directory, for oci",
		  .text = &s.output },
		{ .name = "force", .help = "replace a file that is there", .flag = &s.force },
		{ 0 },
	};
	_cleanup_(image_owner_release) struct image_owner owner = IMAGE_OWNER_NONE;
	struct error *error = NULL;
	int r = options_parse_single(&cmd_image_save, rows, "image", argc, argv, &s.name);

	if (r < 0)
		return options_status(r);
	s.format = save_format_from_string(format);
	if (s.output && !strcmp(s.output, "-"))
		s.output = NULL;
	if (!s.output && isatty(STDOUT_FILENO))
		return cli_usage(&cmd_image_save, "--output says where to, if not to a terminal");
	if (image_check_name(s.name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (image_owner_gather(&owner, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	s.home = owner.home;
	return save(&s);
}

const struct command cmd_image_save = {
	.noun = "image",
	.root_noun = "admin image",
	.name = "save",
	.arguments = "IMAGE",
	.summary = "Write an image for other programs",
	.run = run_save,
};
