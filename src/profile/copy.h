#pragma once

/* Copies of profiles and of single keys. */

#include "profile/keys.h"

/* `to` has this key as `from` has it; where it was set last stays as it is in `to`. */
void key_copy(const struct key *k, struct profile *to, const struct profile *from);

/* Everything, with where it comes from. Owned by the caller. */
struct profile *profile_copy(const struct profile *p);
