#include "gate/node.h"

#include <string.h>

#include "gate/server.h"
#include "gate/watch.h"

#define CHAINS_FIRST 256U

static size_t hash(const struct node *parent, const char *name)
{
	size_t h = (size_t)parent->id * 0x9e3779b97f4a7c15U; /* spreads small numbers */

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 0x100000001b3U; /* FNV-1a */
	return h ^ h >> 32;
}

static struct node **chain(struct server *s, const struct node *parent, const char *name)
{
	return &s->chains[hash(parent, name) & (s->n_chains - 1)];
}

static void grow(struct server *s)
{
	size_t n_old = s->n_chains;
	struct node **old = s->chains, *n, *next;

	s->n_chains = n_old ? n_old * 2 : CHAINS_FIRST;
	s->chains = xcalloc(s->n_chains, sizeof(struct node *));
	for (size_t i = 0; i < n_old; i++)
		for (n = old[i]; n; n = next) {
			struct node **at = chain(s, n->parent, n->name);

			next = n->next;
			n->next = *at;
			*at = n;
		}
	free(old);
}

static void attach(struct server *s, struct node *n, struct node *parent, const char *name)
{
	struct node **at;

	n->parent = parent;
	n->name = xstrdup(name);
	parent->children++;
	at = chain(s, parent, name);
	n->next = *at;
	*at = n;
}

/* Returns the parent that it had, which may have nothing left that keeps it. */
static struct node *detach(struct server *s, struct node *n)
{
	struct node *parent = n->parent, **at;

	if (!parent)
		return NULL;
	at = chain(s, parent, n->name);
	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	n->next = n->parent = NULL;
	n->name = (free(n->name), NULL);
	parent->children--;
	return parent;
}

static struct node *make(struct server *s, const struct kind *kind, struct grant *grant)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->id = table_add(&s->nodes, n);
	n->generation = ++s->generation;
	n->kind = kind;
	n->grant = grant;
	if (grant)
		grant->nodes++;
	s->n_nodes++;
	return n;
}

struct node *node_root(struct server *s)
{
	struct node *n = make(s, &kind_root, NULL);

	n->lookups = 1; /* for ever */
	return n;
}

struct node *node_find(struct server *s, uint64_t id)
{
	struct node *n = table_find(&s->nodes, id);

	return n && n->lookups ? n : NULL;
}

struct node *node_peek(struct server *s, struct node *parent, const char *name)
{
	struct node *n = s->n_chains ? *chain(s, parent, name) : NULL;

	while (n && (n->parent != parent || strcmp(n->name, name) != 0))
		n = n->next;
	return n;
}

struct node *node_get(struct server *s, struct node *parent, const char *name,
		      const struct kind *kind, struct grant *grant)
{
	struct node *n = node_peek(s, parent, name);

	if (n && n->kind == kind && n->grant == grant)
		return n;
	if (n) {
		node_unlink(s, n);
		node_release(s, n);
	}
	if (s->n_nodes >= s->n_chains)
		grow(s);
	n = make(s, kind, grant);
	attach(s, n, parent, name);
	return n;
}

void node_unlink(struct server *s, struct node *n)
{
	struct node *parent = detach(s, n);

	if (parent)
		node_release(s, parent);
}

/* What happens outside meanwhile can make it look so, and nobody could walk that path. */
static bool is_beneath(const struct node *n, const struct node *above)
{
	while (n && n != above)
		n = n->parent;
	return n;
}

void node_rename(struct server *s, struct node *n, struct node *parent, const char *name)
{
	struct node *there = node_peek(s, parent, name), *before;

	if (there == n)
		return;
	if (is_beneath(parent, n)) {
		node_unlink(s, n);
		return;
	}
	if (there) {
		node_unlink(s, there);
		node_release(s, there);
	}
	before = detach(s, n);
	attach(s, n, parent, name);
	if (before)
		node_release(s, before);
}

void node_swap(struct server *s, struct node *a, struct node *b)
{
	struct node *parent_a = a->parent, *parent_b = b->parent;
	_cleanup_free_ char *name_a = xstrdup(a->name), *name_b = xstrdup(b->name);

	if (is_beneath(parent_a, b) || is_beneath(parent_b, a)) {
		node_unlink(s, a);
		node_unlink(s, b);
		return;
	}
	detach(s, a);
	detach(s, b);
	attach(s, a, parent_b, name_b);
	attach(s, b, parent_a, name_a);
}

static bool is_needed(const struct node *n)
{
	return n->lookups || n->children || n->handles;
}

void node_release(struct server *s, struct node *n)
{
	while (n && !is_needed(n)) {
		struct node *parent = detach(s, n);
		struct grant *g = n->grant;

		watch_end(s, n);
		if (n->kind->forget)
			n->kind->forget(s, n);
		if (s->seen.of == n)
			s->seen.of = NULL;
		table_remove(&s->nodes, n->id);
		s->n_nodes--;
		free(n);
		if (g) {
			g->nodes--;
			grant_release(s, g);
		}
		n = parent;
	}
}
