#pragma once

/*
 * Where the user's documents, downloads and so on lie (user-dirs.dirs(5)). The file looks like
 * shell, but is not run as such: of its lines `XDG_X_DIR="$HOME/name"` and `XDG_X_DIR="/name"`
 * count, with nothing expanded but that $HOME. Every other line is passed over.
 */

#include <stddef.h>

#include "base/error.h"
#include "profile/host-path.h"

#define USER_DIRS_FILE	   ".config/user-dirs.dirs"
#define USER_DIRS_FILE_MAX (64U << 10)
#define USER_DIR_PATH_MAX  1024U

struct user_dirs {
	/* Relative to the home, or absolute; in their shortest form, UTF-8 without control
	 * characters. Never NULL: what the file does not say, or says to be the home itself, has
	 * its English name. */
	char *paths[USER_DIR_MAX];
};

void user_dirs_parse(const char *text, size_t size, const char *home, struct user_dirs *ret);

/* A file that does not exist says nothing. */
int user_dirs_read(const char *home, struct user_dirs *ret, struct error **err);

void user_dirs_release(struct user_dirs *d);
