#pragma once

/* Pictures of windows, and how much two of them differ. Pure. */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct picture {
	uint32_t width, height;
	uint8_t *rgb; /* owned; NULL: none */
};

/* "WIDTH HEIGHT\n", then three bytes for each pixel: nothing less, nothing more. */
int picture_parse(const char *data, size_t size, struct picture *ret, struct error **err);
void picture_release(struct picture *p);

/* How many hundredths of the pixels are others; shades that an eye takes for the same do not count.
 * 100 where the sizes differ. Rounded down. */
uint32_t picture_difference(const struct picture *a, const struct picture *b);

/* How many hundredths have about this colour, 0xrrggbb. Rounded down. */
uint32_t picture_share(const struct picture *p, uint32_t colour);
