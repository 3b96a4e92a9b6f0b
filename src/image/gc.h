#pragma once

/* Gives back what a store no longer needs. */

#include <stdint.h>

#include "base/error.h"
#include "image/store.h"

struct gc_result {
	uint32_t generations;
	uint32_t layers;
	uint32_t leftovers; /* of makers that were killed */
	uint64_t bytes;	    /* of the layers */
};

/* Removes generations that no sandbox uses and that are older than the `keep` before the current
 * one, then layers that no generation names, then what was left behind. */
int store_gc(const struct store *s, uint32_t keep, struct gc_result *ret, struct error **err);

/* Only the last two of these. The caller holds the store's lock. */
int store_sweep(const struct store *s, struct gc_result *ret, struct error **err);
