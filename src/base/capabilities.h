#pragma once

/* Capabilities (capabilities(7)) of this process: away with all of them, for good. */

#include "base/error.h"

/* From every set, the bounding set included: nothing that is executed later has any. Needs
 * CAP_SETPCAP for that one where the process has any to lose. */
int capabilities_drop(struct error **err);
