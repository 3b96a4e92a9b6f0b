#include "plan/words.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"

void words_add(struct words *w, const char *name, const char *format, ...)
{
	va_list ap;

	assert(w->n < WORDS_MAX);
	va_start(ap, format);
	w->names[w->n] = name;
	w->values[w->n++] = xvasprintf(format, ap);
	va_end(ap);
}

static const char *find(const struct words *w, const char *name, size_t length)
{
	size_t i = 0;

	while (i < w->n && (strlen(w->names[i]) != length || memcmp(w->names[i], name, length)))
		i++;
	assert(i < w->n);
	return w->values[i];
}

char *words_expand(const struct words *w, const char *template)
{
	struct buf out = { 0 };

	for (;;) {
		size_t plain = strcspn(template, "{"), length;

		buf_add(&out, template, plain);
		template += plain;
		if (!*template)
			return buf_take(&out);
		length = strcspn(++template, "}");
		buf_adds(&out, find(w, template, length));
		template += length + 1;
	}
}

void words_release(struct words *w)
{
	while (w->n)
		free(w->values[--w->n]);
}
