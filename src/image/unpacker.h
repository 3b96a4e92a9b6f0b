#pragma once

/* vitrine-unpack (image/unpack.h) at work, fed by this process. It ends when this process does. */

#include <stdbool.h>
#include <stdint.h>

#include "base/spawn.h"

struct unpacker {
	struct child child;
	int to;	    /* its standard input */
	int output; /* what it prints: files in memory, so that nobody has to read in time */
	int refusal;
	bool gone; /* it has ended before its input did, and says why */
};

#define UNPACKER_NONE       \
	((struct unpacker){ \
		.child = CHILD_NONE, .to = -EBADF, .output = -EBADF, .refusal = -EBADF })

struct unpacker_options {
	bool layer;
	bool implied; /* it tells of directories without an entry */
	bool compressed;
	bool recognise; /* then `root` is not used */
	int root;
};

int unpacker_start(const struct unpacker_options *o, struct unpacker *ret, struct error **err);

/* Writes it all, unless `gone` is set or becomes so, which is no error here. Interrupts are off
 * (image/transfer.h). */
int unpacker_write(struct unpacker *u, const void *data, size_t size, struct error **err);

/* Waits for it. The error is its own; the last line of what it has printed is the caller's, who
 * need not want it. */
int unpacker_end(struct unpacker *u, char **ret_line, struct error **err);

/* Ends it, if that was not done. */
void unpacker_release(struct unpacker *u);
