#pragma once

/* The text of a profile with where each setting comes from. It reads back to the same profile.
 * Owned by the caller. */

#include "profile/profile.h"

char *profile_text(const struct profile *p, bool origins);
