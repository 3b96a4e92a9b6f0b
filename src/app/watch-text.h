#pragma once

/* What a watched application did, for people and for programs. Pure; whatever it has chosen is
 * escaped. */

#include <jansson.h>

#include "box/watch.h"

/* "EPERM". */
const char *watch_error_name(uint32_t error);

/* One line without a newline. Owned by the caller. */
char *watch_event_describe(const struct watch_policy *p, const struct watch_event *e);

/* An object with the same. The caller's. */
json_t *watch_event_to_json(const struct watch_policy *p, const struct watch_event *e);

/* The name of its call, or "number N", or "number N of another architecture". Owned by the caller.
 */
char *watch_event_call(const struct watch_policy *p, const struct watch_event *e);
