#pragma once

/*
 * How much new data an application may put into a given tree. Counted are the apparent sizes by
 * which files grow, and BUDGET_ENTRY for each name that is made; what shrinks or goes is given
 * back, but never more than was taken: room that the user's own files leave is not the
 * application's.
 */

#include "gate/grant.h"

#define BUDGET_ENTRY UINT64_C(4096)

static inline bool budget_counts(const struct grant *g)
{
	return g && g->limit != GATE_NO_LIMIT;
}

int budget_take(struct grant *g, uint64_t size); /* -ENOSPC: that is too much */
void budget_give_back(struct grant *g, uint64_t size);
uint64_t budget_left(const struct grant *g); /* of one that counts */
