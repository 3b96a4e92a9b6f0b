#include "base/parse.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/store.h"

static int roll_back(const struct image_owner *owner, const char *name, uint32_t generation,
		     struct error **err)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_free_ char *line = NULL;
	uint32_t now;
	int r = image_owner_open(owner, false, &store, err);

	if (r == 0)
		r = image_rollback(&store, name, generation, &now, err);
	if (r < 0)
		return r;
	line = xasprintf("%s: generation %u\n", name, now);
	return cli_print(line);
}

static int run_rollback(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	_cleanup_(image_owner_release) struct image_owner owner = IMAGE_OWNER_NONE;
	int first = options_parse(&cmd_image_rollback, rows, argc, argv), r;
	struct error *error = NULL;
	uint32_t generation = 0;

	if (first < 0)
		return options_status(first);
	if (argc - first < 1 || argc - first > 2)
		return cli_usage(&cmd_image_rollback, "give one image, and perhaps a generation");
	if (argc - first == 2 && (parse_u32(argv[first + 1], &generation) < 0 || !generation))
		return cli_usage(&cmd_image_rollback, "a generation is a number from 1");
	if (image_check_name(argv[first], &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (image_owner_gather(&owner, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	r = roll_back(&owner, argv[first], generation, &error);
	return r < 0 ? cli_fail(error, EXIT_FAILED) : r;
}

const struct command cmd_image_rollback = {
	.noun = "image",
	.root_noun = "admin image",
	.name = "rollback",
	.arguments = "IMAGE [GENERATION]",
	.summary = "Go back to an older generation",
	.run = run_rollback,
};
