#include "cli/image-commands.h"

static const struct command *const verbs[] = {
	&cmd_image_build,    &cmd_image_list, &cmd_image_show, &cmd_image_verify,
	&cmd_image_rollback, &cmd_image_gc,   &cmd_image_rm,   NULL,
};

const struct command cmd_image = {
	.name = "image",
	.arguments = "VERB",
	.summary = "Make, list and remove images",
	.verbs = verbs,
};
