#pragma once

/*
 * Images of the user: ~/.local/share/vitrine/images/NAME/ with root/ (the tree, all files owned by
 * the user, no set-id bits, no devices) and image.json (image/manifest.h). What is there is whole:
 * an image is made beside its place and renamed (image/stage.h).
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "image/manifest.h"

/* Is this a name for an image? Sets what is wrong with it. */
int image_check_name(const char *name, struct error **err);

/* Opens the directory of all images. -ENOENT: nothing was ever built, unless `make`. */
int image_open_all(const char *home, bool make, int *ret_fd, struct error **err);

/* Absolute path of the root directory of image `name`; -ENOENT where there is none. */
int image_find(const char *home, const char *name, char **ret_root, struct error **err);

/* All whole images, sorted by name. */
int image_list(const char *home, struct image_info **ret, size_t *ret_n, struct error **err);

/* What image `name` has of a package: the suite that it was made from, and the version, which is
 * NULL where it has none. -ENOENT where there is no image. */
int image_package(const char *home, const char *name, const char *package, char **ret_suite,
		  char **ret_version, struct error **err);

/* Takes the shared lock of an image in use; close the descriptor to give it back. While it is held,
 * the image is neither removed nor replaced. */
int image_lock(const char *home, const char *name, int *ret_fd, struct error **err);

/* The lock that excludes all users: -EBUSY while there is one, -ENOENT where there is no image.
 * `images` is from image_open_all(). */
int image_lock_alone(int images, const char *name, int *ret_fd, struct error **err);

/* Refuses (-EBUSY) while a sandbox uses it. */
int image_remove(const char *home, const char *name, struct error **err);

void image_list_free(struct image_info *list, size_t n);
