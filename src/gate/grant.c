#include "gate/grant.h"

#include <string.h>

#include "base/strv.h"
#include "gate/server.h"

struct grant *grant_find(struct server *s, uint32_t id)
{
	struct grant *g = s->grants;

	while (g && (g->revoked || g->id != id))
		g = g->next;
	return g;
}

struct grant *grant_at(struct server *s, const char *place)
{
	struct grant *g = s->grants;

	while (g && (g->revoked || strcmp(g->place, place) != 0))
		g = g->next;
	return g;
}

void grant_release(struct server *s, struct grant *g)
{
	struct grant **at = &s->grants;

	if (!g->revoked || g->waiting || g->telling || g->nodes)
		return;
	while (*at != g)
		at = &(*at)->next;
	*at = g->next;
	close_fd(g->fd);
	free(g->place);
	strv_free(g->masks);
	free(g);
}
