#pragma once

/* What the key table says, for people and programs. */

#include "base/buf.h"
#include "profile/keys.h"

/* Adds what a value may be: "read-only, writable", "size, 1M to 64G". */
void key_allowed(const struct key *k, struct buf *text);
