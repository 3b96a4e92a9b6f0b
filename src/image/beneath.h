#pragma once

/*
 * Names out of an archive, and where they lead beneath a directory: never above it, never through
 * a symbolic link, never to another file system.
 */

#include <sys/types.h>

#include "base/error.h"

#define BENEATH_NAME_MAX  4095U /* bytes of a whole name */
#define BENEATH_DEPTH_MAX 128U	/* components; fs_remove_tree() goes to 256 */

/* The name without "./", doubled and trailing slashes; "" is the directory itself. Refuses an
 * absolute name, "..", and what is too long or too deep. */
int beneath_name(const char *raw, char **ret, struct error **err);

/* Opens a directory by its cleaned name. -ENOENT; -ELOOP, -ENOTDIR: it leads through a link, or
 * through something else that is no directory. */
int beneath_open_dir(int root, const char *name, int *ret_fd, struct error **err);

/* The same; what is missing of it is made with mode 0755. *ret_there is how much of the name, in
 * bytes, was there before. */
int beneath_make_dir(int root, const char *name, size_t *ret_there, int *ret_fd,
		     struct error **err);
