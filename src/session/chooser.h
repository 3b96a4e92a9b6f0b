#pragma once

/* The desktop's file chooser, outside of any box: what its user picks there, no application chose.
 */

#include "base/error.h"
#include "session/chooser-words.h"

#define CHOOSER_PROGRAMS "/usr/bin"

/*
 * Runs the first chooser that lies in the directory `programs`, and waits until something is
 * picked: *ret_path is absolute, has any bytes, and is the caller's. -ECANCELED when nothing was;
 * -ENOENT when there is no chooser, with the command that mends it.
 */
int chooser_run(const char *programs, enum choice choice, const char *title, char **ret_path,
		struct error **err);
