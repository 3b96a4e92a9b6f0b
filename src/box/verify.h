#pragma once

/*
 * Is a process confined as planned? Read back from the kernel, never assumed: what liblxc or a
 * filter was asked for and did not do is found here, before the process executes anything.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct confinement {
	uint32_t uid; /* as this process's user namespace sees it */
	uint32_t gid;
	uint32_t filters; /* number of seccomp filters */
};

/* `status` is the text of /proc/PID/status. Names the first thing that is not as it must be. */
int confinement_check(const char *status, const struct confinement *want, struct error **err);

/* The text of a box's /proc/PID/uid_map (or gid_map): it must map `id` to `user`, and nothing else
 * to a number outside the slice, which begins at `first` as seen from here. */
int id_map_check(const char *map, const char *what, uint32_t id, uint32_t user, uint32_t first,
		 struct error **err);

/* The outside number of the holder's id 0: from the text of the monitor's uid_map (or gid_map). */
int id_map_base(const char *map, uint32_t *ret_base, struct error **err);
