#pragma once

/*
 * At most one sandbox of a profile (SingleInstance= in [App]):
 * $XDG_RUNTIME_DIR/vitrine/instances/NAME is locked (flock(2)) by its supervisor as long as it
 * lives, and holds the id of the sandbox once that takes requests. The file stays when the sandbox
 * is gone; who gets the lock empties it.
 */

#include "base/error.h"

/*
 * Becomes the instance of a profile: *ret_lock is held until it is closed, and *ret_running_id is
 * NULL. Or finds it: *ret_lock is negative, and *ret_running_id (owned by the caller) takes
 * requests. While another one starts or ends this waits for it, at most a minute (-ETIMEDOUT), and
 * takes its place if it is gone. The id that was found may end at any time: then ask again.
 */
int instance_claim(int runtime_dir, const char *profile, int *ret_lock, char **ret_running_id,
		   struct error **err);

/* From now on others find this sandbox. */
int instance_announce(int lock, const char *id, struct error **err);
