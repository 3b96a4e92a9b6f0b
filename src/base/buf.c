#include "base/buf.h"

#include <stdio.h>
#include <string.h>

static void buf_reserve(struct buf *b, size_t more)
{
	size_t room = b->room ? b->room : 128;

	while (room < b->size + more + 1)
		room *= 2;
	if (room != b->room)
		b->data = xreallocarray(b->data, room, 1);
	b->room = room;
}

void buf_add(struct buf *b, const void *data, size_t size)
{
	buf_reserve(b, size);
	if (size)
		memcpy(b->data + b->size, data, size);
	b->size += size;
	b->data[b->size] = '\0';
}

void buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_addf(struct buf *b, const char *format, ...)
{
	_cleanup_free_ char *s = NULL;
	va_list ap;

	va_start(ap, format);
	s = xvasprintf(format, ap);
	va_end(ap);
	buf_adds(b, s);
}

char *buf_take(struct buf *b)
{
	char *data;

	buf_reserve(b, 0);
	b->data[b->size] = '\0';
	data = TAKE_PTR(b->data);
	*b = (struct buf){ 0 };
	return data;
}

void buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){ 0 };
}
