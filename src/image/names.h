#pragma once

/* The names in a directory. */

#include <stdbool.h>

#include "base/error.h"

typedef bool names_fn(const char *name);

/* Those that `wanted` accepts, sorted; never "." and "..". */
int names_in(int dirfd, const char *path, names_fn *wanted, char ***ret, struct error **err);

/* Is there something before the suffix, and then the suffix? */
bool name_has_suffix(const char *name, const char *suffix);
