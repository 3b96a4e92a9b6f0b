#pragma once

/*
 * Where profiles lie: VITRINE_DATA_DIR/profiles < VITRINE_CONF_DIR/profiles <
 * ~/.config/vitrine/profiles. The last one that has NAME.vitrine wins; a link to /dev/null there
 * masks the profile. What it inherits (Inherit=) is read before it, its drop-ins after it:
 * NAME.vitrine.d/X.conf, in the order of X, each from the last directory that has that X; a link to
 * /dev/null masks one.
 */

#include "profile/profile.h"

#define PROFILE_INHERIT_MAX  8U	 /* profiles that inherit from each other, one after the other */
#define PROFILE_DROP_INS_MAX 64U /* of one profile */

/* By name or alias. `home` is the user's home from the password database, never from the
 * environment. -ENOENT with a suggestion where none has it. */
int profile_load(const char *name, const char *home, struct profile **ret, struct error **err);

/* The same without the drop-ins of that name, X.conf, in any directory. */
int profile_load_without(const char *name, const char *home, const char *drop_in,
			 struct profile **ret, struct error **err);

/* From a file the user names: a regular file that belongs to the user or root and that nobody else
 * may write. What it inherits is found by name; it has no drop-ins. */
int profile_load_file(const char *path, const char *home, struct profile **ret, struct error **err);

/* Names of all profiles, sorted, each once. */
int profile_list(const char *home, char ***ret, struct error **err);

/* The same in given directories, the weakest first: what the functions above use. */
char **profile_dirs(const char *home);
int profile_load_in(char *const *dirs, const char *name, struct profile **ret, struct error **err);
/* As it is without the last directory, the user's. Returns 1, or 0 where there is no such profile.
 */
int profile_load_shipped(char *const *dirs, const char *name, struct profile **ret,
			 struct error **err);
int profile_list_in(char *const *dirs, char ***ret, struct error **err);
