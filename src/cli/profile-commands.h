#pragma once

/* The verbs of `vitrine profile` that have a file each. */

#include "cli/cli.h"

extern const struct command cmd_profile_audit, cmd_profile_diff, cmd_profile_explain,
	cmd_profile_keys, cmd_profile_learn, cmd_profile_lint, cmd_profile_new, cmd_profile_show,
	cmd_profile_test, cmd_profile_trust;
