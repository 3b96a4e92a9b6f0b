#pragma once

/*
 * The compiled form of a box's own AppArmor profile (emit/apparmor.h), from AppArmor's parser, or
 * from ~/.cache/vitrine/apparmor, where it is kept by what it depends on: its text, the parser, the
 * kernel. What is kept there is the user's, and no sandbox is ever given it.
 */

#include <stdbool.h>

#include "emit/apparmor.h"

/* May this user load profiles, and can they be compiled? Otherwise boxes have their floor alone. */
bool additions_are_possible(uid_t uid);

/* `ret` receives the bytes for the kernel, owned by the caller. */
int addition_compile(const char *home, const struct apparmor_profile *p, char **ret,
		     size_t *ret_size, struct error **err);
