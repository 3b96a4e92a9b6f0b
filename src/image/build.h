#pragma once

/*
 * Makes an image by its recipe: the host's mmdebstrap fetches and installs the packages in the
 * user's sub-ids, vitrine-unpack turns the result into a tree of the user's own files.
 */

#include "base/error.h"
#include "image/pipeline.h"

struct build {
	const char *home;
	const char *name;
	const char *suite; /* NULL: that of the recipe, or of this host */
	build_progress_fn *progress;
	void *user;
};

/* Replaces an image of that name, unless it is in use. Errors as pipeline_run(). */
int image_build(const struct build *b, struct error **err);

/* The log of the last build of an image: its absolute path, there or not. */
char *image_build_log(const char *home, const char *name);
