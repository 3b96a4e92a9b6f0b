#include "profile/specifier.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

bool specifiers_are_valid(const char *s)
{
	while ((s = strchr(s, '%'))) {
		if (!s[1] || !strchr("hui%", s[1]))
			return false;
		s += 2;
	}
	return true;
}

static const char *value_of(char letter, const struct specifiers *values)
{
	switch (letter) {
	case 'h':
		return values->home;
	case 'u':
		return values->user;
	case 'i':
		return values->id;
	default:
		return "%";
	}
}

char *specifiers_expand(const char *s, const struct specifiers *values)
{
	_cleanup_buf_ struct buf out = { 0 };

	while (*s) {
		size_t n = strcspn(s, "%");

		buf_add(&out, s, n);
		s += n;
		if (!*s)
			break;
		buf_adds(&out, value_of(s[1], values));
		s += 2;
	}
	return out.data ? buf_take(&out) : xstrdup("");
}

char *specifiers_escape(const char *s)
{
	_cleanup_buf_ struct buf out = { 0 };

	for (; *s; s++)
		buf_adds(&out, *s == '%' ? "%%" : (const char[]){ *s, '\0' });
	return out.data ? buf_take(&out) : xstrdup("");
}
