#pragma once

/*
 * What hides files of lower layers, as an OCI archive says it: an empty file .wh.NAME for one that
 * is gone, .wh..wh..opq for all that lower layers have in its directory. Names only, no files.
 */

#include <stdbool.h>

#include "base/error.h"

#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

/* overlayfs's word for the latter, mounted with `userxattr`. */
#define OPAQUE_ATTRIBUTE "user.overlay.opaque"
#define OPAQUE_VALUE	 "y"

enum whiteout {
	WHITEOUT_NONE, /* an ordinary name */
	WHITEOUT_FILE,
	WHITEOUT_DIRECTORY, /* opaque */
};

/* Reads a cleaned name (image/beneath.h). *ret_name is what is gone, or the directory, and NULL for
 * an ordinary name. Refuses every other use of the prefix. */
int whiteout_read(const char *name, enum whiteout *ret, char **ret_name, struct error **err);

/* Could a component of the name be taken for one of these? */
bool whiteout_is_reserved(const char *name);
