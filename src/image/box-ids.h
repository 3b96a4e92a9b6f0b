#pragma once

/*
 * The ids of a build box: as in the holder, 0 to 65535 are the user's sub-ids, and 65536 is the
 * user, to whom the files of images belong.
 */

#include <sys/types.h>

#include "base/error.h"

/* Makes a user namespace with these ids, and those that `flags` name besides, and becomes root in
 * it. */
int box_ids_enter(int flags, struct error **err);

/* What the process does that box_ids_enter() starts for it: maps the ids of process `pid` after a
 * byte has come by standard input. */
int box_ids_map(pid_t pid, struct error **err);
