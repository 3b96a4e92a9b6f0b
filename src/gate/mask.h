#pragma once

/* What is not there in a given tree, although it is outside (gate/protocol.h). Pure. */

enum mask {
	MASK_NONE,
	MASK_ABOVE,  /* a directory on the way to what is masked */
	MASK_HIDDEN, /* masked, or beneath it */
};

/* `dir` and then `name`, relative to the tree; "" is the tree itself. `masks` may be NULL. */
enum mask mask_of(char *const *masks, const char *dir, const char *name);
