#pragma once

/*
 * The lowest layer of every image of a suite: Debian's essential packages, which all others need to
 * be installed. mmdebstrap makes it, of packages that are in the scratch directory already.
 */

#include "base/error.h"
#include "image/apt.h"

#define ESSENTIAL_DEBS	"essential"
#define ESSENTIAL_LISTS "lists"

/* What apt has to install for it: a pattern. NULL-terminated, owned by the caller. */
char **essential_pattern(const struct apt *a);

/* The call of mmdebstrap, which prints a tar archive. */
char **essential_argv(const struct apt *a);
