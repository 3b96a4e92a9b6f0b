#include <stdio.h>

#include "base/parse.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/gc.h"
#include "image/scratch.h"

#define MEGABYTE 1000000U

static int collect(const struct image_owner *owner, uint32_t keep, struct gc_result *ret,
		   struct error **err)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	int r = image_owner_open(owner, false, &store, err);

	*ret = (struct gc_result){ 0 };
	if (owner->kind == STORE_USER)
		scratch_sweep();
	if (r == -ENOENT) { /* nothing was ever made */
		*err = error_free(*err);
		return 0;
	}
	return r < 0 ? r : store_gc(&store, keep, ret, err);
}

static int print(const struct gc_result *result, bool json)
{
	_cleanup_free_ char *text = NULL;

	if (json)
		text = xasprintf("{ \"generations\": %u, \"layers\": %u, \"leftovers\": %u, "
				 "\"bytes\": %llu }\n",
				 result->generations, result->layers, result->leftovers,
				 (unsigned long long)result->bytes);
	else
		text = xasprintf("removed %u generations, %u layers and %u leftovers: %llu MB\n",
				 result->generations, result->layers, result->leftovers,
				 (unsigned long long)(result->bytes / MEGABYTE));
	return cli_print(text);
}

static int run_gc(int argc, char **argv)
{
	const char *keep_text = NULL;
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "keep",
		  .value = "NUMBER",
		  .help = "old generations of each image that stay; default: 2",
		  .text = &keep_text },
		{ .name = "json", .help = "an object, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_(image_owner_release) struct image_owner owner = IMAGE_OWNER_NONE;
	int first = options_parse(&cmd_image_gc, rows, argc, argv);
	struct error *error = NULL;
	struct gc_result result;
	uint32_t keep = STORE_KEEP;

	if (first < 0)
		return options_status(first);
	if (first != argc)
		return cli_usage(&cmd_image_gc, "takes no argument");
	if (keep_text && parse_u32(keep_text, &keep) < 0)
		return cli_usage(&cmd_image_gc, "--keep needs a number");
	if (image_owner_gather(&owner, &error) < 0 || collect(&owner, keep, &result, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return print(&result, json);
}

const struct command cmd_image_gc = {
	.noun = "image",
	.root_noun = "admin image",
	.name = "gc",
	.arguments = "",
	.summary = "Give back what no image needs",
	.run = run_gc,
};
