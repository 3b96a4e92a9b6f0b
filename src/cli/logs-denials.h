#pragma once

/* `vitrine logs --denials`: what AppArmor has denied to the user's sandboxes. */

#include <stdbool.h>

/* `name`: of one running sandbox, or NULL for all, also for those that have ended. Reports its own
 * errors; returns the exit status. */
int logs_denials(const char *name, bool json, bool following);
