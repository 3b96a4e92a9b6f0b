#pragma once

/* Drop-ins: NAME.vitrine.d/X.conf in any of the directories of profiles (profile/load.h). */

#include "base/error.h"

/* Called with each file that counts, open for reading, in their order. */
typedef int drop_in_fn(void *user, int fd, const char *path, struct error **err);

/* `dirs`: the weakest first. */
int drop_ins_read(char *const *dirs, const char *name, drop_in_fn *fn, void *user,
		  struct error **err);
