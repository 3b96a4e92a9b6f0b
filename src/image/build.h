#pragma once

/*
 * Makes an image by its recipe. apt of the host says and fetches what is needed (image/apt.h), the
 * packages are installed in the user's sub-ids (image/essential.h, image/build-box-main.c), and
 * vitrine-unpack turns the result into a tree of the user's own files, a layer. What did not change
 * since it was last made is not made again.
 */

#include <stdbool.h>

#include "base/error.h"
#include "image/manifest.h"
#include "image/pipeline.h"

struct build {
	const char *home;
	const char *name;
	const char *suite; /* NULL: that of the recipe, or of this host */
	bool fresh;	   /* make all layers of its own again */
	bool offline;	   /* of lists and packages that were fetched before */
	bool trust;	   /* do not read layers that are there to see whether they are damaged */
	char ***updated;   /* suites whose lists were fetched already: filled and asked. May be NULL
			    */
	build_progress_fn *progress;
	void *user;
};

struct build_result {
	struct manifest *before; /* NULL: there was no such image */
	struct manifest *after;	 /* NULL: nothing has changed */
};

/* Makes the next generation, unless it would be as the current one; first that of its base, where
 * that is missing. Errors as pipeline_run(); -EBUSY while another process makes this image. */
int image_build(const struct build *b, struct build_result *ret, struct error **err);
void build_result_release(struct build_result *r);

/* The log of the last build of an image: its absolute path, there or not. */
char *image_build_log(const char *home, const char *name);
