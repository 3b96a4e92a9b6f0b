#pragma once

/* The verbs of `vitrine image`, a file each. */

#include "cli/cli.h"

extern const struct command cmd_image_build, cmd_image_gc, cmd_image_list, cmd_image_rm,
	cmd_image_rollback, cmd_image_show, cmd_image_verify;
