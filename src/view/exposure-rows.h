#pragma once

/* The rows of exposure.h in parts, and what these share. Private to src/view/. */

#include "base/strv.h"
#include "view/exposure.h"

struct exposure_part {
	const struct exposure *rows;
	size_t n;
};

extern const struct exposure_part exposures_of_files, exposures_of_desktop, exposures_of_identity,
	exposures_of_machine, exposures_of_kernel;

static inline const struct box_plan *view_app(const struct view *v)
{
	return &v->plan->boxes[BOX_APP];
}

/* More with every value of a list, and never the whole. */
unsigned exposure_of_list(char *const *list);

/* More with every doubling; the whole without a limit (0). */
unsigned exposure_of_amount(uint64_t value, uint64_t least, uint64_t most);

/* Adds the value of a key as it stands in a file; "no limit" where none is set. */
void tell_value(const struct view *v, const char *section, const char *key, struct buf *out);

/* Adds the values of a list, with commas. */
void tell_list(char *const *list, struct buf *out);
