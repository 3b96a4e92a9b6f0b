#pragma once

/*
 * Which of two profiles gives more, key by key: what the ceiling, trust, `profile diff` and
 * `profile lint` are made of. Only keys with an order can give anything.
 */

#include "base/buf.h"
#include "profile/keys.h"

/* Does `a` allow by this key what `b` does not? Then the values that do are added to `what` (which
 * may be NULL): those of a list one after the other, "Key=value" lines. */
bool key_exceeds(const struct key *k, const struct profile *a, const struct profile *b,
		 struct buf *what);

/* Does `a` allow by any key what `b` does not? */
bool profile_exceeds(const struct profile *a, const struct profile *b);

/* Is a path of a profile at or beneath another one, as both are written? */
bool host_path_covers(const char *above, const char *path);
