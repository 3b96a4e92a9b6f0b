#include "image/merge.h"

#include <stdbool.h>
#include <string.h>

struct layer {
	struct index_lines lines;
	bool *shown;
	const char **first; /* of each file with several names: the first one that is shown */
};

struct merge {
	struct layer *layers;
	size_t n_layers;
	char *dir; /* the last directory that was judged, and of which layer */
	size_t dir_layer;
	bool dir_hidden;
	struct merged result;
};

static void merge_release(struct merge *m)
{
	for (size_t i = 0; i < m->n_layers; i++) {
		index_lines_release(&m->layers[i].lines);
		free(m->layers[i].shown);
		free(m->layers[i].first);
	}
	free(m->layers);
	free(m->dir);
	merged_release(&m->result);
}

void merged_release(struct merged *m)
{
	for (size_t i = 0; i < m->n; i++)
		index_line_release(&m->v[i].line);
	free(m->v);
	*m = (struct merged){ 0 };
}

static bool is_dir(const struct index_line *l)
{
	return l->type == 'd' || l->type == 'o';
}

/* Is what a layer has in this directory hidden by one above? */
static bool is_hidden_below(const struct merge *m, size_t layer, const char *dir)
{
	_cleanup_free_ char *path = xstrdup(dir);

	for (char *end = path + strlen(path); end; end = strrchr(path, '/')) {
		*end = '\0';
		for (size_t i = 0; i < layer; i++) {
			const struct index_line *l = index_lines_find(&m->layers[i].lines, path);

			if (l && l->type != 'd')
				return true;
		}
	}
	return false;
}

static bool is_shown(struct merge *m, size_t layer, const struct index_line *l)
{
	const char *slash = strrchr(l->path, '/');
	size_t n = slash ? (size_t)(slash - l->path) : 0;

	if (l->type == 'w')
		return false;
	if (!m->dir || m->dir_layer != layer || strncmp(m->dir, l->path, n) || m->dir[n]) {
		free(m->dir);
		m->dir = xstrndup(l->path, n);
		m->dir_layer = layer;
		m->dir_hidden = n && is_hidden_below(m, layer, m->dir);
	}
	if (m->dir_hidden)
		return false;
	for (size_t i = 0; i < layer; i++)
		if (index_lines_find(&m->layers[i].lines, l->path))
			return false;
	return true;
}

static void add(struct merge *m, size_t layer, const struct index_line *l)
{
	struct merged *r = &m->result;

	if (!(r->n & (r->n - 1)))
		r->v = xreallocarray(r->v, r->n ? 2 * r->n : 1, sizeof *r->v);
	r->v[r->n++] = (struct merged_line){
		.layer = layer,
		.line = {
			.type = is_dir(l) ? 'd' : l->type,
			.mode = l->mode,
			.modified = l->modified,
			.size = l->size,
			.data = l->data ? xstrdup(l->data) : NULL,
			.path = xstrdup(l->path),
		},
	};
}

static int compare(const void *a, const void *b)
{
	return index_path_compare(((const struct merged_line *)a)->line.path,
				  ((const struct merged_line *)b)->line.path);
}

/* The first name of a file may be hidden: then the next one is the first. */
static int settle_first(struct merge *m, struct merged_line *l, struct error **err)
{
	struct layer *layer = &m->layers[l->layer];
	const struct index_line *first;
	size_t i;

	if (l->line.type != 'h')
		return 0;
	first = index_lines_find(&layer->lines, l->line.data);
	if (!first || (first->type != 'f' && first->type != 'l'))
		return error_set(err, EBADMSG, "an index with a second name of no file");
	i = (size_t)(first - layer->lines.v);
	if (layer->shown[i])
		return 0;
	free(l->line.data);
	if (layer->first[i]) {
		l->line.data = xstrdup(layer->first[i]);
		return 0;
	}
	layer->first[i] = l->line.path;
	l->line.type = first->type;
	l->line.size = first->size;
	l->line.data = xstrdup(first->data);
	return 0;
}

int merge_layers(char *const *texts, size_t n, struct merged *ret, struct error **err)
{
	_cleanup_(merge_release) struct merge m = { .layers = xcalloc(n + 1, sizeof *m.layers) };

	for (m.n_layers = 0; m.n_layers < n; m.n_layers++) {
		struct layer *l = &m.layers[m.n_layers];
		int r = index_lines_read(texts[m.n_layers], &l->lines, err);

		if (r < 0)
			return r;
		l->shown = xcalloc(l->lines.n + 1, sizeof *l->shown);
		l->first = xcalloc(l->lines.n + 1, sizeof *l->first);
	}
	for (size_t i = 0; i < n; i++) {
		struct layer *l = &m.layers[i];

		for (size_t k = 0; k < l->lines.n; k++) {
			l->shown[k] = is_shown(&m, i, &l->lines.v[k]);
			if (l->shown[k])
				add(&m, i, &l->lines.v[k]);
		}
	}
	if (m.result.n)
		qsort(m.result.v, m.result.n, sizeof *m.result.v, compare);
	for (size_t i = 0; i < m.result.n; i++) {
		int r = settle_first(&m, &m.result.v[i], err);

		if (r < 0)
			return r;
	}
	*ret = m.result;
	m.result = (struct merged){ 0 };
	return 0;
}
