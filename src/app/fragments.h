#pragma once

/* The static parts of LXC configurations, which are installed. */

#include "base/error.h"

#define LXC_DENY_LIST VITRINE_DATA_DIR "/seccomp-policies/lxc-deny.policy"

/* Their texts, one after the other. `names` ends with NULL. */
int fragments_read(const char *const *names, char **ret, struct error **err);
