#pragma once

/* What was given, as the gate knows it. */

#include <stdbool.h>
#include <stdint.h>

#include "base/alloc.h"
#include "gate/protocol.h"

struct grant {
	struct grant *next;
	uint32_t id; /* of the supervisor, not 0 */
	enum gate_kind kind;
	bool writable;
	bool revoked; /* every operation fails (EIO on what is open, ENOENT on names) */
	bool waiting; /* until the kernel can be told so (gate/revoke.h) */
	bool telling; /* it is being told */
	int fd;	     /* tree: O_PATH of its directory; file: what has its name outside, or -EBADF */
	char *place; /* "files/NAME", "trees/0" */
	char **masks;
	uint64_t limit, used; /* bytes of new data in a tree (gate/budget.h); no limit: 0 */
	unsigned nodes;	      /* that refer to it; freed with the last, once revoked */
};
