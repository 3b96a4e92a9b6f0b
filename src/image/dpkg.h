#pragma once

/* The packages of a tree, as dpkg's status file in it names them. */

#include <stdbool.h>

#include "base/error.h"
#include "image/manifest.h"

/* Adds those that are installed. *ret_found: there is such a file; a tree without one is no error.
 */
int dpkg_packages(int root, struct manifest *m, bool *ret_found, struct error **err);
