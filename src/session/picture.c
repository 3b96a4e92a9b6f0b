#include "session/picture.h"

#include <stdbool.h>
#include <string.h>

#include "base/parse.h"
#include "session/desktop.h"

#define SAME 24 /* of 256: lossy files and smooth edges */

/* A number that ends with `end` at *at, which is moved behind that. */
static bool read_number(const char **at, const char *limit, char end, uint32_t *ret)
{
	const char *stop = memchr(*at, end, (size_t)(limit - *at));
	_cleanup_free_ char *digits = NULL;

	if (!stop || stop - *at > 10)
		return false;
	digits = xstrndup(*at, (size_t)(stop - *at));
	*at = stop + 1;
	return parse_u32(digits, ret) == 0;
}

int picture_parse(const char *data, size_t size, struct picture *ret, struct error **err)
{
	const char *at = data, *end = data + size;
	struct picture p = { 0 };
	uint64_t n;

	if (!size || !read_number(&at, end, ' ', &p.width) ||
	    !read_number(&at, end, '\n', &p.height))
		return error_set(err, EINVAL, "not a picture");
	n = (uint64_t)p.width * p.height;
	if (!n || n > DESKTOP_PIXELS_MAX || (uint64_t)(end - at) != 3 * n)
		return error_set(err, EINVAL, "not a whole picture");
	p.rgb = xmalloc(3 * n);
	memcpy(p.rgb, at, 3 * n);
	*ret = p;
	return 0;
}

void picture_release(struct picture *p)
{
	free(p->rgb);
	*p = (struct picture){ 0 };
}

static bool is_same(const uint8_t *a, const uint8_t *b)
{
	for (int c = 0; c < 3; c++)
		if (a[c] > b[c] + SAME || b[c] > a[c] + SAME)
			return false;
	return true;
}

uint32_t picture_difference(const struct picture *a, const struct picture *b)
{
	const size_t n = (size_t)a->width * a->height;
	size_t others = 0;

	if (a->width != b->width || a->height != b->height)
		return 100;
	for (size_t i = 0; i < n; i++)
		others += !is_same(a->rgb + 3 * i, b->rgb + 3 * i);
	return n ? (uint32_t)(others * 100 / n) : 0;
}

uint32_t picture_share(const struct picture *p, uint32_t colour)
{
	const uint8_t wanted[] = { (uint8_t)(colour >> 16), (uint8_t)(colour >> 8),
				   (uint8_t)colour };
	const size_t n = (size_t)p->width * p->height;
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += is_same(p->rgb + 3 * i, wanted);
	return n ? (uint32_t)(found * 100 / n) : 0;
}
