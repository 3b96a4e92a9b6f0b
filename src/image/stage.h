#pragma once

/*
 * An image in the making: work/NAME.PID/ of the store, locked (flock(2) on the directory) as long
 * as its maker lives. Nobody sees any of it before stage_commit(), which adds the layers, then the
 * manifest, then switches to it, each in one step. What is found without a lock was left by a
 * process that was killed, and is removed by the next one or by gc.
 */

#include <stddef.h>

#include "base/error.h"
#include "image/manifest.h"
#include "image/store.h"

struct stage_layer {
	int root; /* owned; where the tree goes */
	char *key;
};

struct stage {
	const struct store *store; /* borrowed */
	int dir; /* owned: the locked directory, for files of the maker's own too */
	char *name;
	char *work; /* its name in work/ */
	struct stage_layer *layers;
	size_t n_layers;
};

#define STAGE_NONE ((struct stage){ .dir = -EBADF })

/* -EBUSY while another process makes an image of that name. */
int stage_begin(const struct store *store, const char *name, struct stage *ret, struct error **err);

/* One more layer on top of those so far: an empty directory, borrowed until stage_release(), that
 * the caller fills with a tree as image/index.h allows. `key` may be NULL. */
int stage_add_layer(struct stage *s, const char *key, int *ret_root, struct error **err);

/*
 * Makes the next generation of the image, and the current one. `m` names the layers that are in the
 * store already (those of a base); the stage's come on top and are added to it, as are generation,
 * time and, where there are none, packages as dpkg's list in the topmost layer that has one names
 * them.
 */
int stage_commit(struct stage *s, struct manifest *m, struct error **err);

/* Removes what was not committed. */
void stage_release(struct stage *s);
