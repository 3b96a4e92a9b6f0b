#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/store.h"

static int remove_image(const struct image_owner *owner, const char *name, struct error **err)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	int r = image_owner_open(owner, false, &store, err);

	if (r == -ENOENT) {
		*err = error_free(*err);
		return error_set(err, ENOENT, "no image '%s': nothing was ever made", name);
	}
	return r < 0 ? r : image_remove(&store, name, err);
}

static int run_rm(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	_cleanup_(image_owner_release) struct image_owner owner = IMAGE_OWNER_NONE;
	struct error *error = NULL;
	const char *name;
	int r = options_parse_single(&cmd_image_rm, rows, "image", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (image_check_name(name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (image_owner_gather(&owner, &error) < 0 || remove_image(&owner, name, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return EXIT_OK;
}

const struct command cmd_image_rm = {
	.noun = "image",
	.root_noun = "admin image",
	.name = "rm",
	.arguments = "IMAGE",
	.summary = "Remove an image that no sandbox uses",
	.run = run_rm,
};
