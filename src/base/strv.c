#include "base/strv.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"

size_t strv_length(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

bool strv_contains(char *const *v, const char *s)
{
	for (; v && *v; v++)
		if (!strcmp(*v, s))
			return true;
	return false;
}

void strv_take(char ***v, char *s)
{
	size_t n = strv_length(*v);

	*v = xreallocarray(*v, n + 2, sizeof **v);
	(*v)[n] = s;
	(*v)[n + 1] = NULL;
}

void strv_add(char ***v, const char *s)
{
	strv_take(v, xstrdup(s));
}

void strv_addf(char ***v, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	strv_take(v, xvasprintf(format, ap));
	va_end(ap);
}

void strv_add_all(char ***v, char *const *more)
{
	for (; more && *more; more++)
		strv_add(v, *more);
}

char **strv_copy(char *const *v)
{
	char **copy = NULL;

	strv_add_all(&copy, v);
	return copy;
}

char *strv_join(char *const *v, const char *separator)
{
	struct buf text = { 0 };

	for (size_t i = 0; v && v[i]; i++)
		buf_addf(&text, "%s%s", i ? separator : "", v[i]);
	return buf_take(&text);
}

char **strv_free(char **v)
{
	for (char **s = v; s && *s; s++)
		free(*s);
	free(v);
	return NULL;
}
