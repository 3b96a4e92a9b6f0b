#include "base/error.h"

#include <stdio.h>
#include <string.h>

static struct error *error_new(int code, char *message)
{
	struct error *e = xmalloc(sizeof *e);

	*e = (struct error){ .code = code, .message = message };
	return e;
}

int error_set(struct error **err, int code, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	*err = error_new(code, xvasprintf(format, ap));
	va_end(ap);
	return -code;
}

int error_errno(struct error **err, const char *format, ...)
{
	int code = errno ? errno : EIO;
	_cleanup_free_ char *what = NULL;
	va_list ap;

	va_start(ap, format);
	what = xvasprintf(format, ap);
	va_end(ap);
	*err = error_new(code, xasprintf("%s: %s", what, strerror(code)));
	return -code;
}

int error_prefix(struct error **err, const char *format, ...)
{
	struct error *e = *err;
	_cleanup_free_ char *head = NULL, *tail = e->message;
	va_list ap;

	va_start(ap, format);
	head = xvasprintf(format, ap);
	va_end(ap);
	e->message = xasprintf("%s: %s", head, tail);
	return -e->code;
}

int error_move(struct error **err, struct error *from)
{
	*err = from;
	return -from->code;
}

struct error *error_free(struct error *e)
{
	if (e)
		free(e->message);
	free(e);
	return NULL;
}
