#pragma once

/* Copies what an application has written out of its sandbox (`vitrine keep`). */

#include "app/facts.h"
#include "app/taking.h"
#include "box/walk.h"

#define KEEP_BYTES (4ULL << 30) /* unless the user says otherwise */

struct keeping {
	const char *sandbox; /* as control_connect() takes it; borrowed */
	bool force;
	uint64_t bytes_max;
	int to; /* owned; negative: to the same place beneath the home */
	struct facts facts;
	struct protection protection;
	/* of the path at hand */
	int control;
	const char *path;
	char *name; /* in the archive */
};

#define KEEPING_NONE ((struct keeping){ .bytes_max = KEEP_BYTES, .to = -EBADF, .control = -EBADF })

/* `to` is a directory, or NULL. */
int keeping_begin(struct keeping *k, const char *to, struct error **err);

/* `word` is a path inside, absolute or beneath the home. *ret_path is where it is now;
 * *ret_left_out as of control_walked(), also after an error. Both owned by the caller. */
int keeping_keep(struct keeping *k, const char *word, char **ret_path, char **ret_left_out,
		 struct error **err);

void keeping_release(struct keeping *k);
