#pragma once

/*
 * Paths of the host as a profile names them: absolute, beneath the home ("~/x", "%h/x"), or beneath
 * one of the user's directories ("%d/x"), which have other names in other languages
 * (user-dirs.dirs(5)). Nothing else is expanded.
 */

#include <stdbool.h>

enum user_dir {
	USER_DIR_DESKTOP,
	USER_DIR_DOCUMENTS,
	USER_DIR_DOWNLOAD,
	USER_DIR_MUSIC,
	USER_DIR_PICTURES,
	USER_DIR_PUBLICSHARE,
	USER_DIR_TEMPLATES,
	USER_DIR_VIDEOS,
	USER_DIR_MAX,
};

/* Has it one of these forms, and no component that is empty, "." or ".."? */
bool host_path_is_valid(const char *s);

/* The absolute path that a valid one means, without a slash at the end. `dirs` has a path for each
 * enum user_dir, relative to the home or absolute. Owned by the caller. */
char *host_path_expand(const char *s, const char *home, char *const dirs[USER_DIR_MAX]);
