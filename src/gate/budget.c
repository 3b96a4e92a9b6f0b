#include "gate/budget.h"

int budget_take(struct grant *g, uint64_t size)
{
	if (!budget_counts(g))
		return 0;
	if (size > budget_left(g))
		return -ENOSPC;
	g->used += size;
	return 0;
}

void budget_give_back(struct grant *g, uint64_t size)
{
	if (budget_counts(g))
		g->used -= size < g->used ? size : g->used;
}

uint64_t budget_left(const struct grant *g)
{
	return g->used < g->limit ? g->limit - g->used : 0;
}
