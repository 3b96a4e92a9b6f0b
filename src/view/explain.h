#pragma once

/* What an application can and cannot do, in sentences, one beneath the other; and the same as a
 * table of how much each setting gives away. Pure; both results are owned by the caller. */

#include "view/exposure.h"

char *explain_text(const struct view *v);

/* Those that give something away, the worst first, or with `by_name` by the names of settings. */
char *audit_text(const struct view *v, bool by_name);

/* The rows of audit_text() in its order, NULL behind the last one. */
const struct exposure **audit_rows(const struct view *v, bool by_name);

/* "3.4" of a score or of points in hundredths. */
char *audit_number(unsigned hundredths);
