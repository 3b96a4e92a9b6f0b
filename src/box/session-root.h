#pragma once

/*
 * How a small program of the session (vitrine-walk, vitrine-watch) becomes root of the holder's
 * user namespace, and what is left of that: it ends with its supervisor, starts nothing, and has
 * few rights and little memory, since what it looks at is hostile.
 */

#include <stdint.h>

#include "base/error.h"

struct session_root {
	int user_ns;	       /* the holder's */
	uint32_t supervisor;   /* its pid: the parent of this process */
	uint32_t capabilities; /* a bit for each that stays, all below 32 (capabilities(7)) */
	uint64_t memory;       /* bytes of address space */
	uint64_t files;	       /* that it may have open */
};

/* After an error this process may be anything in between, and must end. */
int session_root_become(const struct session_root *s, struct error **err);
