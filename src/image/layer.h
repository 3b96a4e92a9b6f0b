#pragma once

/*
 * Layers of a store: layers/DIGEST/ with root/ (the tree, all files owned by the store's owner, no
 * set-id bits, no devices but whiteouts) and index (image/index.h). DIGEST is the SHA-256 of the
 * index: a layer that is there is never changed, and two images that need the same one share it.
 */

#include "base/error.h"
#include "image/store.h"

/* Absolute path of the layer's tree. -EBADMSG: neither of the stores has it. */
int layer_find(const char *home, const char *digest, char **ret_root, struct error **err);

/* Reads every byte of it. -EBADMSG: the layer is missing, or the named file is not as it was made.
 */
int layer_verify(const struct store *s, const char *digest, struct error **err);
