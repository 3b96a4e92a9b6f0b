#include "base/fold.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

/* Unicode's CaseFolding.txt (full) and canonical decomposition: what ends in ASCII alone. */
static const struct {
	uint32_t c;
	const char *folded;
} letters[] = {
	{ 0x00df, "ss" }, /* sharp s */
	{ 0x017f, "s" },  /* long s */
	{ 0x037e, ";" },  /* Greek question mark */
	{ 0x1e9e, "ss" }, /* capital sharp s */
	{ 0x1fef, "`" },  /* Greek varia */
	{ 0x212a, "k" },  /* Kelvin sign */
	{ 0xfb00, "ff" },  { 0xfb01, "fi" }, { 0xfb02, "fl" }, { 0xfb03, "ffi" },
	{ 0xfb04, "ffl" }, { 0xfb05, "st" }, { 0xfb06, "st" },
};

/* Default_Ignorable_Code_Point: the kernel's tables fold them to nothing. */
static const struct {
	uint32_t first, last;
} ignored[] = {
	{ 0x00ad, 0x00ad },   { 0x034f, 0x034f }, { 0x061c, 0x061c },	{ 0x115f, 0x1160 },
	{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f }, { 0x200b, 0x200f },	{ 0x202a, 0x202e },
	{ 0x2060, 0x206f },   { 0x3164, 0x3164 }, { 0xfe00, 0xfe0f },	{ 0xfeff, 0xfeff },
	{ 0xffa0, 0xffa0 },   { 0xfff0, 0xfff8 }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

struct folding {
	const char *at;
	const char *pending; /* of a character that folds to several */
};

/* The character at s, which is not ASCII, and its length. A sequence that is cut short or wrong in
 * any way is no character: its first byte stands for itself. */
static uint32_t decode(const unsigned char *s, size_t *ret_length)
{
	size_t n = *s >= 0xf0 ? 4 : *s >= 0xe0 ? 3 : *s >= 0xc0 ? 2 : 1;
	uint32_t c = *s & (0x7fU >> n);

	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			n = 1;
			break;
		}
		c = c << 6 | (s[i] & 0x3fU);
	}
	*ret_length = n;
	return n > 1 ? c : 0;
}

static bool is_ignored(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		if (c >= ignored[i].first && c <= ignored[i].last)
			return true;
	return false;
}

static const char *folded(uint32_t c)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].c == c)
			return letters[i].folded;
	return NULL;
}

/* The next byte of the folded text, 0 at its end. */
static unsigned char next(struct folding *f)
{
	for (;;) {
		unsigned char byte = (unsigned char)*f->at;
		const char *text;
		uint32_t c;
		size_t n;

		if (f->pending && *f->pending)
			return (unsigned char)*f->pending++;
		if (byte < 0x80) {
			f->at += byte != 0;
			return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
		}
		c = decode((const unsigned char *)f->at, &n);
		text = c ? folded(c) : NULL;
		if (!text && !(c && is_ignored(c))) {
			f->at++;
			return byte;
		}
		f->pending = text;
		f->at += n;
	}
}

/* Goes on in `f` behind `begin`, if that is what comes. */
static bool skip(struct folding *f, const char *begin)
{
	struct folding b = { .at = begin };
	unsigned char c;

	while ((c = next(&b)))
		if (next(f) != c)
			return false;
	return true;
}

const char *fold_beneath(const char *path, const char *dir)
{
	struct folding p = { .at = path };
	unsigned char c;

	if (!skip(&p, dir))
		return NULL;
	c = next(&p);
	return !c ? "" : c == '/' ? p.at : NULL;
}

bool fold_same(const char *a, const char *b)
{
	const char *rest = fold_beneath(a, b);

	return rest && !*rest;
}

bool fold_begins(const char *s, const char *begin)
{
	struct folding f = { .at = s };

	return skip(&f, begin);
}
