#pragma once

/*
 * What an image is made of: NAME.image in VITRINE_DATA_DIR/images < VITRINE_CONF_DIR/images <
 * ~/.config/vitrine/images; the last one that is there wins. Names packages, and no host to fetch
 * them from: that is the system's own configuration.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define RECIPE_FILE_MAX	    (64U << 10)
#define RECIPE_PACKAGES_MAX 1000U
#define RECIPE_LOCALES_MAX  100U
#define RECIPE_COMMANDS_MAX 100U

struct recipe {
	char *description;
	char *base;  /* the image that this one is a layer on, or NULL */
	char *suite; /* NULL: that of the base, or of this host */
	char **packages;
	char **locales;	 /* such as "de_DE.UTF-8" */
	char **commands; /* for /bin/sh, after the packages */
	char *files;   /* absolute path of a directory whose tree is laid over the image, or NULL */
	uint64_t size; /* bytes of the image, roughly */
	uint32_t minutes; /* to build it, roughly */
};

/* -ENOENT, with a suggestion, where there is none. */
int recipe_load(const char *home, const char *name, struct recipe **ret, struct error **err);

/* `file` is its path: Files= is beside it. */
int recipe_read(const char *text, size_t size, const char *file, struct recipe **ret,
		struct error **err);

/* Can this be the name of a package? */
bool recipe_is_package(const char *s);

struct recipe *recipe_free(struct recipe *r);

static inline void recipe_freep(struct recipe **r)
{
	recipe_free(*r);
}
