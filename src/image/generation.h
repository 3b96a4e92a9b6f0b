#pragma once

/*
 * names/NAME/ of a store, one step at a time: N.json and the link `current`. Whoever changes
 * anything holds the store's lock; who reads does not.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/manifest.h"
#include "image/store.h"

/* -ENOENT: no such image. */
int generation_current(const struct store *s, const char *name, uint32_t *ret, struct error **err);

int generation_read(const struct store *s, const char *name, uint32_t generation,
		    struct manifest **ret, struct error **err);

/* flock(2) on N.json. -EAGAIN: somebody else has it, or it is gone. */
int generation_lock(const struct store *s, const char *name, uint32_t generation, int operation,
		    int *ret_fd, struct error **err);

/* Writes m->generation, which must be a new one. Nobody uses it yet. */
int generation_add(const struct store *s, const struct manifest *m, struct error **err);

int generation_switch(const struct store *s, const char *name, uint32_t generation,
		      struct error **err);

/* Removes one that is not the current one, and for which the caller has the exclusive lock. */
int generation_remove(const struct store *s, const char *name, uint32_t generation,
		      struct error **err);

/* Removes the link first, so that nobody finds half an image. */
int generation_remove_all(const struct store *s, const char *name, const uint32_t *generations,
			  size_t n, struct error **err);
