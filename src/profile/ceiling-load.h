#pragma once

/*
 * The administrator's rules (profile/ceiling.h): VITRINE_CONF_DIR/policy.d/X.conf, in the order of
 * X. All of it belongs to root and can be written by nobody else; a link to /dev/null is an empty
 * file, no other link is followed. Nothing that a user sets leads elsewhere.
 */

#include "profile/ceiling.h"

/* A missing directory means no rules. Anything else that is not as above, or that cannot be read,
 * is an error: then nothing may start. `ret_ignored` (may be NULL): names of other files. */
int ceiling_load(struct ceiling **ret, char ***ret_ignored, struct error **err);

/* The same of another directory and another owner, for tests. */
int ceiling_load_in(const char *conf_dir, uid_t owner, struct ceiling **ret, char ***ret_ignored,
		    struct error **err);
