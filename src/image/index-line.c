#include "image/index-line.h"

#include <string.h>

#include "base/buf.h"
#include "base/parse.h"

#define FIELDS 6U

static int damaged(struct error **err)
{
	return error_set(err, EBADMSG, "an index with a line that is none");
}

static int octal(const char *s, uint32_t *ret)
{
	uint32_t value = 0;

	if (!*s || strlen(s) > 6)
		return -EINVAL;
	for (; *s; s++) {
		if (*s < '0' || *s > '7')
			return -EINVAL;
		value = value * 8 + (uint32_t)(*s - '0');
	}
	*ret = value;
	return 0;
}

void index_escape(struct buf *out, const char *path)
{
	for (const char *p = path; *p; p++)
		if (*p > ' ' && *p < 0x7f && *p != '\\')
			buf_add(out, p, 1);
		else
			buf_addf(out, "\\%03o", (unsigned char)*p);
}

char *index_unescape(const char *s)
{
	_cleanup_buf_ struct buf b = { 0 };

	while (*s) {
		size_t n = strcspn(s, "\\");

		buf_add(&b, s, n);
		s += n;
		if (*s) {
			char digits[4] = "", byte;
			uint32_t value;

			strncat(digits, s + 1, 3);
			if (strlen(digits) != 3 || octal(digits, &value) < 0 || !value ||
			    value > UINT8_MAX)
				return NULL;
			byte = (char)value;
			buf_add(&b, &byte, 1);
			s += 4;
		}
	}
	return buf_take(&b);
}

static int read_fields(char *line, char *fields[FIELDS])
{
	char *rest = line;

	for (size_t i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&rest, " ");
		if (!fields[i] || !*fields[i])
			return -EINVAL;
	}
	return rest ? -EINVAL : 0;
}

void index_line_release(struct index_line *l)
{
	free(l->data);
	free(l->path);
	*l = (struct index_line){ 0 };
}

int index_line_read(const char **text, struct index_line *ret, struct error **err)
{
	size_t n = strcspn(*text, "\n");
	_cleanup_free_ char *line = xstrndup(*text, n);
	_cleanup_(index_line_release) struct index_line l = { 0 };
	char *fields[FIELDS];
	uint32_t mode;

	if (!**text)
		return 0;
	if ((*text)[n] != '\n' || read_fields(line, fields) < 0)
		return damaged(err);
	l.type = *fields[0];
	if (!strchr("doflhw", l.type) || fields[0][1] || octal(fields[1], &mode) < 0 ||
	    parse_u64(fields[2], &l.modified) < 0 || parse_u64(fields[3], &l.size) < 0)
		return damaged(err);
	l.mode = mode;
	l.path = index_unescape(fields[5]);
	l.data = strcmp(fields[4], "-") ? index_unescape(fields[4]) : NULL;
	if (!l.path || !l.data != !strchr("flh", l.type))
		return damaged(err);
	*text += n + 1;
	*ret = l;
	l = (struct index_line){ 0 };
	return 1;
}

void index_lines_release(struct index_lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		index_line_release(&l->v[i]);
	free(l->v);
	*l = (struct index_lines){ 0 };
}

int index_lines_read(const char *text, struct index_lines *ret, struct error **err)
{
	_cleanup_(index_lines_release) struct index_lines all = { 0 };
	struct index_line l;
	int r;

	while ((r = index_line_read(&text, &l, err)) > 0) {
		if (!(all.n & (all.n - 1)))
			all.v = xreallocarray(all.v, all.n ? 2 * all.n : 1, sizeof *all.v);
		all.v[all.n++] = l;
	}
	if (r < 0)
		return r;
	for (size_t i = 1; i < all.n; i++)
		if (index_path_compare(all.v[i - 1].path, all.v[i].path) >= 0)
			return damaged(err);
	*ret = all;
	all = (struct index_lines){ 0 };
	return 0;
}

static int by_path(const void *path, const void *line)
{
	return index_path_compare(path, ((const struct index_line *)line)->path);
}

const struct index_line *index_lines_find(const struct index_lines *l, const char *path)
{
	return l->n ? bsearch(path, l->v, l->n, sizeof *l->v, by_path) : NULL;
}

/* As the names of directories, one after the other, are: '/' comes before every other byte. */
int index_path_compare(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	if (*a == *b)
		return 0;
	if (!*a || !*b)
		return *a ? 1 : -1;
	if (*a == '/' || *b == '/')
		return *a == '/' ? -1 : 1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}
