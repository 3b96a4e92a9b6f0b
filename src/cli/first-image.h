#pragma once

#include "app/facts.h"
#include "profile/profile.h"

/* Are the images there that a sandbox of this profile needs? At a terminal a missing one is built
 * after a question, or with `unasked` at once; otherwise the command that builds it is printed.
 * Returns an exit status. */
int first_image(const struct facts *facts, const struct profile *profile, bool unasked);
