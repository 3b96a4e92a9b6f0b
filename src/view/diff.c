#include "view/diff.h"

#include <string.h>

#include "base/text.h"
#include "profile/order.h"

#define LINE_SHOWN_MAX 4096U

static void add(struct differences *d, const struct key *k, const char *line, bool denial,
		const struct profile *of)
{
	d->list = xreallocarray(d->list, d->n + 1, sizeof *d->list);
	d->list[d->n++] = (struct difference){
		.key = k,
		.line = text_escape(line, LINE_SHOWN_MAX),
		.denial = denial,
		.origin = of->origins[key_index(k)],
	};
}

void differences_find(const struct profile *a, const struct profile *b, struct differences *ret)
{
	*ret = (struct differences){ 0 };
	for (size_t i = 0; key_at(i); i++) {
		const struct key *k = key_at(i);
		bool denial = k->order == ORDER_SET_LESS;
		_cleanup_buf_ struct buf what = { 0 };
		char *rest, *line;

		if (!key_is_supported(k) || !key_exceeds(k, a, b, &what))
			continue;
		rest = what.data;
		while ((line = strsep(&rest, "\n")))
			if (*line)
				add(ret, k, line, denial, denial ? b : a);
	}
}

void differences_release(struct differences *d)
{
	for (size_t i = 0; i < d->n; i++)
		free(d->list[i].line);
	free(d->list);
	*d = (struct differences){ 0 };
}

char *origin_text(const struct profile_origin *o)
{
	_cleanup_free_ char *shown = o->file ? text_escape(o->file, LINE_SHOWN_MAX) : NULL;

	return shown ? xasprintf("%s:%u", shown, o->line) : xstrdup("the default");
}

char *differences_text(const struct differences *d)
{
	_cleanup_buf_ struct buf out = { 0 };

	for (size_t i = 0; i < d->n; i++) {
		const struct difference *e = &d->list[i];
		_cleanup_free_ char *origin = origin_text(&e->origin);
		_cleanup_free_ char *setting = xasprintf("%s[%s] %s", e->denial ? "without " : "",
							 e->key->section, e->line);

		buf_addf(&out, "  %-44s  %s\n", setting, origin);
	}
	return buf_take(&out);
}
