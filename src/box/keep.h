#pragma once

/* What outlives a sandbox, and what it starts from: directories of the host that belong to the
 * box's user, and copies of a tree of the user's. All as root of the holder's user namespace. */

#include <stdint.h>

#include "base/error.h"

/* Opens the directory `path` (absolute), of which all but the last component is there and of the
 * user's making. If it is missing it is made, empty, as a whole or not at all. -EUCLEAN: it does
 * not belong to `owner`. */
int keep_open(const char *path, uint32_t owner, int *ret_fd, struct error **err);

/* Copies what is in the directory `path` into the empty one `to`: directories, regular files and
 * links, which are not followed, with their times; all of it then belongs to `owner`. */
int keep_copy(const char *path, int to, uint32_t owner, struct error **err);
