#include "gate/private.h"

#include <string.h>

int private_make(struct server *s, const struct grant *g, const char *sub, const char *name,
		 struct private **ret)
{
	struct private *p;
	uint32_t id;
	int fd, r;

	if (strlen(name) > PRIVATE_NAME_MAX)
		return -ENAMETOOLONG;
	if (s->n_privates >= GATE_TEMPORARIES_MAX)
		return -ENOSPC;
	r = keeper_temporary(s, g ? g->id : 0, &id, &fd);
	if (r < 0)
		return r;
	p = xcalloc(1, sizeof *p);
	*p = (struct private){
		.next = s->privates,
		.id = id,
		.fd = fd,
		.sub = xstrdup(sub),
		.name = xstrdup(name),
	};
	s->privates = p;
	s->n_privates++;
	*ret = p;
	return 0;
}

struct private *private_find(struct server *s, const char *sub, const char *name)
{
	struct private *p = s->privates;

	while (p && (strcmp(p->name, name) != 0 || strcmp(p->sub, sub) != 0))
		p = p->next;
	return p;
}

void private_rename(struct private *p, const char *sub, const char *name)
{
	char *old_sub = p->sub, *old_name = p->name;

	p->sub = xstrdup(sub);
	p->name = xstrdup(name);
	free(old_sub);
	free(old_name);
}

void private_drop(struct server *s, struct private *p, bool known)
{
	struct private **at = &s->privates;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	s->n_privates--;
	if (known)
		keeper_drop(s, p->id);
	close_fd(p->fd);
	free(p->sub);
	free(p->name);
	free(p);
}
