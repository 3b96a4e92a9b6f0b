#pragma once

/* A layer that was made already of just the same things (image/build-key.h). */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "image/store.h"

struct reuse {
	struct manifest *manifest; /* of a generation that has it as its topmost layer */
	int lock;		   /* as long as it is held that generation stays */
};

#define REUSE_NONE ((struct reuse){ .lock = -EBADF })

/*
 * Looks for a layer of that key that lies on the layers of these digests, the lowest first, and on
 * no other. Only where `topmost` is true it must be the topmost of its image: then the image's
 * packages are those up to it. Returns whether there is one, and its place among the layers.
 */
bool reuse_find(const struct store *s, const char *key, char *const *lowers, bool topmost,
		struct reuse *ret, size_t *ret_layer);
void reuse_release(struct reuse *r);
