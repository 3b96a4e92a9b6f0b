#pragma once

/* Files of profiles and their directories: whose they must be, and how they are read. */

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Returns 1 and the descriptor, or 0 where there is no such directory. It belongs to the user or
 * root, and nobody else may write it. */
int profile_open_dir(const char *path, int *ret_fd, struct error **err);

/* Does the file at `path` belong to root, as far as this process can tell? In a user namespace that
 * does not map root, what was installed with this program counts as root's. */
bool profile_is_of_root(const char *path, uid_t owner);

/* The same, to be listed; closed with closedir(3). */
int profile_list_open(const char *path, DIR **ret, struct error **err);

static inline void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Is it a link to /dev/null? */
bool profile_is_mask(int dirfd, const char *file);

/* The text of an open file, as it was at one moment; `path` is for messages. The same rules about
 * its owner. */
int profile_read_file(int fd, const char *path, char **ret, size_t *ret_size, struct error **err);
