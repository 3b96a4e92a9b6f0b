#include "base/wire.h"

#include <string.h>

#include "base/strv.h"

void wire_put_u32(struct buf *b, uint32_t value)
{
	buf_add(b, &value, sizeof value);
}

void wire_put_u64(struct buf *b, uint64_t value)
{
	wire_put_u32(b, (uint32_t)value);
	wire_put_u32(b, (uint32_t)(value >> 32));
}

void wire_put_bytes(struct buf *b, const void *data, size_t size)
{
	wire_put_u32(b, (uint32_t)size);
	buf_add(b, data, size);
}

void wire_put_string(struct buf *b, const char *s)
{
	wire_put_bytes(b, s ? s : "", s ? strlen(s) : 0);
}

void wire_put_strv(struct buf *b, char *const *v)
{
	wire_put_u32(b, (uint32_t)strv_length(v));
	for (; v && *v; v++)
		wire_put_string(b, *v);
}

/* The next `size` bytes, or NULL and the sticky error. */
static const void *take(struct wire *w, size_t size)
{
	const char *p = w->at;

	if (w->bad || size > (size_t)(w->end - w->at)) {
		w->bad = true;
		return NULL;
	}
	w->at += size;
	return p;
}

uint32_t wire_get_u32(struct wire *w)
{
	uint32_t value = 0;
	const void *p = take(w, sizeof value);

	if (p)
		memcpy(&value, p, sizeof value);
	return value;
}

uint64_t wire_get_u64(struct wire *w)
{
	uint64_t low = wire_get_u32(w), high = wire_get_u32(w);

	return low | high << 32;
}

const void *wire_get_bytes(struct wire *w, size_t *ret_size)
{
	uint32_t size = wire_get_u32(w);
	const void *p = size <= WIRE_STRING_MAX ? take(w, size) : NULL;

	w->bad |= !p;
	*ret_size = p ? size : 0;
	return p;
}

char *wire_get_string(struct wire *w)
{
	size_t size;
	const char *p = wire_get_bytes(w, &size);

	if (size && memchr(p, '\0', size)) {
		w->bad = true;
		size = 0;
	}
	return xstrndup(p ? p : "", size);
}

char **wire_get_strv(struct wire *w)
{
	uint32_t n = wire_get_u32(w);
	char **v = NULL;

	w->bad |= n > WIRE_VECTOR_MAX;
	while (!w->bad && n--)
		strv_take(&v, wire_get_string(w));
	return v;
}

bool wire_end(const struct wire *w)
{
	return !w->bad && w->at == w->end;
}
