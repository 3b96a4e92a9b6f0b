#include "profile/difference.h"

#include <string.h>

#include "base/strv.h"
#include "profile/order.h"

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char **lines_of(char *text)
{
	char **lines = NULL, *state, *line;

	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		strv_add(&lines, line);
	if (lines)
		qsort(lines, strv_length(lines), sizeof *lines, compare);
	return lines;
}

static char *single(const struct key *k, const struct profile *p)
{
	_cleanup_buf_ struct buf line = { 0 };

	if (k->type->is_list)
		return NULL;
	k->type->write(k, key_value(k, p), &line);
	if (!line.size)
		return NULL;
	line.data[line.size - 1] = '\0';
	return xstrdup(line.data);
}

void difference_find(const struct profile *a, const struct profile *b, struct difference *ret)
{
	*ret = (struct difference){ .n = 0 };
	for (size_t i = 0; i < key_count(); i++) {
		const struct key *k = key_at(i);
		_cleanup_buf_ struct buf what = { 0 };

		if (!key_exceeds(k, a, b, &what))
			continue;
		ret->entries[ret->n++] = (struct difference_entry){
			.key = k,
			.more = what.data ? lines_of(what.data) : NULL,
			.instead = single(k, b),
			.origin = a->origins[i],
		};
	}
}

static void entry_release(struct difference_entry *e)
{
	strv_free(e->more);
	free(e->instead);
}

void difference_release(struct difference *d)
{
	for (size_t i = 0; i < d->n; i++)
		entry_release(&d->entries[i]);
	d->n = 0;
}

void difference_keep_exceeding(struct difference *d, const struct profile *a,
			       const struct profile *b)
{
	size_t kept = 0;

	for (size_t i = 0; i < d->n; i++)
		if (key_exceeds(d->entries[i].key, a, b, NULL))
			d->entries[kept++] = d->entries[i];
		else
			entry_release(&d->entries[i]);
	d->n = kept;
}

char *difference_text(const struct difference *d)
{
	_cleanup_buf_ struct buf out = { 0 };

	for (size_t i = 0; i < d->n; i++) {
		const struct difference_entry *e = &d->entries[i];

		buf_addf(&out, "[%s]\n", e->key->section);
		if (e->instead)
			buf_addf(&out, "-%s\n", e->instead);
		for (char **line = e->more; line && *line; line++)
			buf_addf(&out, "+%s\n", *line);
	}
	return buf_take(&out);
}
