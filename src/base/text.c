#include "base/text.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

bool name_is_valid(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return n > 0 && n <= NAME_LENGTH_MAX && !s[n] && *s != '-';
}

bool path_is_shortest(const char *s)
{
	if (*s != '/')
		return false;
	while (*s) {
		size_t n = strcspn(++s, "/");

		if (n == 0 || (n == 1 && *s == '.') || (n == 2 && !strncmp(s, "..", 2)))
			return false;
		s += n;
	}
	return true;
}

/* One UTF-8 sequence (RFC 3629): its length and code point, or 0 where s does not start one. */
static size_t utf8_next(const char *s, uint32_t *ret)
{
	static const struct {
		unsigned char mask, lead;
		size_t length;
		uint32_t min;
	} forms[] = {
		{ 0x80, 0x00, 1, 0x0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};

	for (size_t f = 0; f < ARRAY_SIZE(forms); f++) {
		unsigned char lead = (unsigned char)*s;
		uint32_t c = lead & (unsigned char)~forms[f].mask;

		if ((lead & forms[f].mask) != forms[f].lead)
			continue;
		for (size_t i = 1; i < forms[f].length; i++) {
			if (((unsigned char)s[i] & 0xc0) != 0x80)
				return 0;
			c = c << 6 | ((unsigned char)s[i] & 0x3f);
		}
		if (c < forms[f].min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
			return 0;
		*ret = c;
		return forms[f].length;
	}
	return 0;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

/* Unicode Standard Annex 9: characters that reorder the text around them; and the line separators.
 */
static bool is_reordering(uint32_t c)
{
	return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069);
}

static bool consists_of_text(const char *s, bool reordering)
{
	while (*s) {
		uint32_t c;
		size_t n = utf8_next(s, &c);

		if (!n || is_control(c) || (!reordering && is_reordering(c)))
			return false;
		s += n;
	}
	return true;
}

bool text_is_clean(const char *s)
{
	return consists_of_text(s, true);
}

bool text_is_plain(const char *s)
{
	return consists_of_text(s, false);
}

/* Appends the character at s, or its first byte escaped; returns how many bytes it took. */
static size_t escape_next(struct buf *out, const char *s)
{
	uint32_t c;
	size_t n = utf8_next(s, &c);

	if (n && !is_control(c) && !is_reordering(c)) {
		buf_add(out, s, n);
		return n;
	}
	buf_addf(out, "\\x%02x", (unsigned char)*s);
	return 1;
}

char *text_escape(const char *s, size_t limit)
{
	_cleanup_buf_ struct buf out = { 0 };
	const char *end = s + strnlen(s, limit);

	while (s < end)
		s += escape_next(&out, s);
	return buf_take(&out);
}

/* Are these bytes all there is so far of a character, or of a carriage return and its newline? */
static bool is_cut_off(const char *s, size_t size)
{
	unsigned char lead = (unsigned char)*s;
	size_t length = lead == '\r'   ? 2
			: lead >= 0xf0 ? 4
			: lead >= 0xe0 ? 3
			: lead >= 0xc0 ? 2
				       : 1;

	for (size_t i = 1; i < size; i++)
		if (((unsigned char)s[i] & 0xc0) != 0x80)
			return false;
	return size < length;
}

/* What a line may consist of besides characters; terminals end theirs with "\r\n". */
static size_t layout_next(const char *s)
{
	if (*s == '\n' || *s == '\t')
		return 1;
	return s[0] == '\r' && s[1] == '\n' ? 2 : 0;
}

size_t text_escape_lines(struct buf *out, const char *data, size_t size)
{
	size_t used = 0;

	while (used < size && !is_cut_off(data + used, size - used)) {
		size_t n = layout_next(data + used);

		if (n)
			buf_add(out, data + used, n);
		else
			n = escape_next(out, data + used);
		used += n;
	}
	return used;
}

/* Levenshtein distance of two short strings, one row at a time. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_LENGTH_MAX + 2], n = strlen(b);

	for (size_t j = 0; j <= n; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[n];
}

const char *text_suggest(const char *s, char *const *candidates)
{
	size_t length = strlen(s), best = length / 2 < 3 ? length / 2 + 1 : 4;
	const char *found = NULL;

	if (length > NAME_LENGTH_MAX)
		return NULL;
	for (; candidates && *candidates; candidates++) {
		size_t d = strlen(*candidates) > NAME_LENGTH_MAX ? best : distance(s, *candidates);

		/* A typed beginning ("firefox" for "firefox-esr") is as good as one slip of a
		 * finger. */
		if (length >= 3 && !strncmp(s, *candidates, length))
			d = 1;
		if (d < best) {
			best = d;
			found = *candidates;
		}
	}
	return found;
}
