#pragma once

/*
 * image.json, the description of an image: name, created, suite, bytes, files, and the packages
 * with their versions. Whoever needs no package list reads only the numbers.
 */

#include <stdint.h>

#include "base/error.h"

#define MANIFEST_NAME "image.json"
#define MANIFEST_MAX  (8U << 20) /* bytes */

struct image_info {
	char *name;
	char *created; /* ISO 8601, UTC */
	char *suite;
	uint64_t bytes;
	uint64_t files;
	uint32_t packages; /* how many; found in the tree by manifest_render() */
};

/* The text of image.json, for the tree in `root`. info->packages is not read. */
int manifest_render(const struct image_info *info, int root, char **ret, struct error **err);

/* Reads NAME/image.json beneath `images`. */
int manifest_read(int images, const char *name, struct image_info *ret, struct error **err);

/* A package of the same image; *ret is NULL where it has none of that name. */
int manifest_read_version(int images, const char *name, const char *package, char **ret,
			  struct error **err);

void image_info_release(struct image_info *i);
