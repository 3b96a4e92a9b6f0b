#pragma once

/* A change as people read it. */

#include "app/changes.h"
#include "base/buf.h"

/* Appends a line without its end. *ret_within: so many that follow lie in it, and are counted
 * there. */
void change_describe(struct buf *out, const struct changes *c, size_t i, size_t *ret_within);
