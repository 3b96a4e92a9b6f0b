#pragma once

/* `vitrine profile show --key`. */

#include "profile/profile.h"

/* Prints the value of "Section.Key", of a list each on a line; nothing where it is not set. Returns
 * the exit status. */
int show_key(const struct profile *p, const char *name);
