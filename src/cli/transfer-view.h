#pragma once

/* Shows how far an import or a save is: one line that is redrawn on a terminal, a line for each
 * part elsewhere, all on stderr. */

#include <stdbool.h>

#include "image/transfer.h"

struct transfer_view {
	const char *name; /* what each line begins with */
	bool redraws;
	bool drawn; /* the cursor is behind the line */
	unsigned last_part;
	const char *last_doing;
};

void transfer_view_begin(struct transfer_view *v, const char *name);

/* A transfer_fn. */
void transfer_view_show(void *user, const struct transfer_progress *p);

/* The line is gone, and the next one can be printed. */
void transfer_view_end(struct transfer_view *v);
