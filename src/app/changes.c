#include "app/changes.h"

#include <string.h>

#include "base/parse.h"

static const struct {
	char letter;
	const char *name;
} kinds[] = {
	{ 'c', "created" },
	{ 'm', "modified" },
	{ 'r', "removed" },
}, types[] = {
	{ 'd', "directory" },
	{ 'f', "file" },
	{ 'l', "link" },
	{ 'o', "other" },
};

const char *change_kind_to_string(char kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (kinds[i].letter == kind)
			return kinds[i].name;
	return NULL;
}

const char *change_type_to_string(char type)
{
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (types[i].letter == type)
			return types[i].name;
	return NULL;
}

/* "KIND TYPE SIZE PATH" */
static bool parse_one(const char *record, struct change *ret)
{
	const char *size, *path;
	_cleanup_free_ char *digits = NULL;

	if (strlen(record) < 7 || record[1] != ' ' || record[3] != ' ')
		return false;
	size = record + 4;
	path = strchr(size, ' ');
	if (!path || path[1] != '/')
		return false;
	digits = xstrndup(size, (size_t)(path - size));
	if (parse_u64(digits, &ret->size) < 0 || !change_kind_to_string(record[0]) ||
	    !change_type_to_string(record[2]))
		return false;
	ret->kind = record[0];
	ret->type = record[2];
	ret->path = xstrdup(path + 1);
	return true;
}

/* A slash is less than every other byte: a directory is before what is in it, and that before all
 * else. */
static int rank(char c)
{
	return c == '/' ? 1 : c ? (unsigned char)c + 1 : 0;
}

static int compare(const void *a, const void *b)
{
	const char *x = ((const struct change *)a)->path, *y = ((const struct change *)b)->path;

	for (; *x && *x == *y; x++, y++)
		;
	return rank(*x) - rank(*y);
}

int changes_parse(const char *data, size_t size, struct changes *ret, struct error **err)
{
	_cleanup_(changes_release) struct changes c = { 0 };
	const char *end = data + size, *last = "";
	size_t room = 0;

	while (data < end) {
		size_t n = strnlen(data, (size_t)(end - data));

		if (data + n == end)
			return error_set(err, EPROTO, "the list of changes is cut off");
		last = data;
		data += n + 1;
		if (data == end)
			break;
		if (c.n == room) {
			room = room ? 2 * room : 64;
			c.list = xreallocarray(c.list, room, sizeof *c.list);
		}
		if (!parse_one(last, &c.list[c.n]))
			return error_set(err, EPROTO, "the list of changes cannot be read");
		c.n++;
	}
	c.more = !strcmp(last, "more");
	if (!c.more && strcmp(last, "end"))
		return error_set(err, EPROTO, "the list of changes is not whole");
	if (c.n)
		qsort(c.list, c.n, sizeof *c.list, compare);
	*ret = c;
	c = (struct changes){ 0 };
	return 0;
}

size_t changes_within(const struct changes *c, size_t i, uint64_t *ret_bytes)
{
	const char *path = c->list[i].path;
	size_t n = strlen(path), count = 0;
	uint64_t bytes = 0;

	if (c->list[i].type == 'd' && c->list[i].kind != 'r')
		while (i + 1 + count < c->n) {
			const struct change *next = &c->list[i + 1 + count];

			if (strncmp(next->path, path, n) || next->path[n] != '/')
				break;
			bytes += next->size;
			count++;
		}
	*ret_bytes = bytes;
	return count;
}

void changes_release(struct changes *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->list[i].path);
	free(c->list);
	*c = (struct changes){ 0 };
}
