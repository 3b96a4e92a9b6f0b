#include "image/lines.h"

void lines_end(struct lines *l)
{
	if (!l->n)
		return;
	l->held[l->n] = '\0';
	l->n = 0;
	l->fn(l->user, l->held);
}

void lines_add(struct lines *l, const char *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		/* A carriage return redraws a line: what it leaves is a line as well. */
		if (data[i] == '\n' || data[i] == '\r') {
			lines_end(l);
			continue;
		}
		if (l->n == LINES_MAX)
			lines_end(l);
		l->held[l->n++] = data[i];
	}
}
