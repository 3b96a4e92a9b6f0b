#pragma once

/* Random sections and keys, made from the key table. */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends keys, each with this chance in a hundred. `for_rule`: those that a rule of the ceiling
 * may limit, and values that it may have. */
void random_keys(struct buf *out, uint64_t *seed, unsigned chance, bool for_rule);

/* From 0 to n - 1. */
unsigned random_below(uint64_t *seed, unsigned n);
