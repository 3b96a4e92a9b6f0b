#include <string.h>

#include "base/strv.h"
#include "base/wire.h"
#include "box/walk.h"

void walk_order_write(const struct walk_order *o, struct buf *ret)
{
	wire_put_u32(ret, o->verb);
	wire_put_u32(ret, o->supervisor);
	wire_put_u32(ret, (uint32_t)o->n_roots);
	for (size_t i = 0; i < o->n_roots; i++) {
		wire_put_u32(ret, o->roots[i].base);
		wire_put_string(ret, o->roots[i].path);
		wire_put_string(ret, o->roots[i].inside);
		wire_put_u32(ret, o->roots[i].upper);
	}
	wire_put_u32(ret, (uint32_t)o->n_items);
	for (size_t i = 0; i < o->n_items; i++) {
		wire_put_u32(ret, o->items[i].root);
		wire_put_string(ret, o->items[i].path);
		wire_put_string(ret, o->items[i].name);
	}
	wire_put_strv(ret, o->lowers);
	wire_put_strv(ret, o->skip);
	wire_put_u64(ret, (uint64_t)o->since_s);
	wire_put_u32(ret, o->since_ns);
	wire_put_u32(ret, o->has_snapshot);
	wire_put_u32(ret, o->links);
	wire_put_u64(ret, o->bytes_max);
}

static size_t get_count(struct wire *w)
{
	uint32_t n = wire_get_u32(w);

	w->bad |= n > WALK_ROOTS_MAX;
	return w->bad ? 0 : n;
}

int walk_order_read(const void *data, size_t size, struct walk_order *ret, struct error **err)
{
	_cleanup_(walk_order_release) struct walk_order o = { 0 };
	struct wire w = wire_open(data, size);

	o.verb = wire_get_u32(&w);
	o.supervisor = wire_get_u32(&w);
	o.n_roots = get_count(&w);
	o.roots = xcalloc(o.n_roots + 1, sizeof *o.roots);
	for (size_t i = 0; i < o.n_roots; i++) {
		o.roots[i].base = wire_get_u32(&w);
		o.roots[i].path = wire_get_string(&w);
		o.roots[i].inside = wire_get_string(&w);
		o.roots[i].upper = wire_get_u32(&w);
		w.bad |= o.roots[i].base >= WALK_BASES_MAX;
	}
	o.n_items = get_count(&w);
	o.items = xcalloc(o.n_items + 1, sizeof *o.items);
	for (size_t i = 0; i < o.n_items; i++) {
		o.items[i].root = wire_get_u32(&w);
		o.items[i].path = wire_get_string(&w);
		o.items[i].name = wire_get_string(&w);
		w.bad |= o.items[i].root >= o.n_roots;
	}
	o.lowers = wire_get_strv(&w);
	o.skip = wire_get_strv(&w);
	o.since_s = (int64_t)wire_get_u64(&w);
	o.since_ns = wire_get_u32(&w);
	o.has_snapshot = wire_get_u32(&w);
	o.links = wire_get_u32(&w);
	o.bytes_max = wire_get_u64(&w);
	if (!wire_end(&w) || o.verb >= WALK_VERB_MAX || o.bytes_max > WALK_BYTES_MAX)
		return error_set(err, EPROTO, "bad order for a walk");
	*ret = o;
	o = (struct walk_order){ 0 };
	return 0;
}

void walk_order_release(struct walk_order *o)
{
	for (size_t i = 0; i < o->n_roots; i++) {
		free(o->roots[i].path);
		free(o->roots[i].inside);
	}
	for (size_t i = 0; i < o->n_items; i++) {
		free(o->items[i].path);
		free(o->items[i].name);
	}
	free(o->roots);
	free(o->items);
	strv_free(o->lowers);
	strv_free(o->skip);
	*o = (struct walk_order){ 0 };
}

void walk_order_add_root(struct walk_order *o, uint32_t base, const char *path, const char *inside,
			 bool upper)
{
	o->roots = xreallocarray(o->roots, o->n_roots + 1, sizeof *o->roots);
	o->roots[o->n_roots++] = (struct walk_root){
		.base = base, .path = xstrdup(path), .inside = xstrdup(inside), .upper = upper
	};
}

void walk_order_add_item(struct walk_order *o, uint32_t root, const char *path, const char *name)
{
	o->items = xreallocarray(o->items, o->n_items + 1, sizeof *o->items);
	o->items[o->n_items++] =
		(struct walk_item){ .root = root, .path = xstrdup(path), .name = xstrdup(name) };
}

int walk_order_find(const struct walk_order *o, const char *path, const char **ret_rest)
{
	size_t best_length = 0;
	int best = -ENOENT;

	for (size_t i = 0; i < o->n_roots; i++) {
		const char *inside = o->roots[i].inside;
		size_t n = strcmp(inside, "/") ? strlen(inside) : 0;

		if (strncmp(path, inside, n) || (path[n] != '/' && path[n]))
			continue;
		if (best >= 0 && n <= best_length)
			continue;
		best = (int)i;
		best_length = n;
	}
	if (best >= 0)
		*ret_rest = path[best_length] ? path + best_length + 1 : "";
	return best;
}
