#pragma once

/* What no program of a build box may ask the kernel for: a short list, beside having no capability
 * for most of it. For the calling process and all that it starts; needs no_new_privs. */

#include "base/error.h"

int box_filter_load(struct error **err);
