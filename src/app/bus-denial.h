#pragma once

/*
 * What was kept from the desktop's bus, as the supervisor records it in the sandbox's directory
 * (app/registry.h): a JSON object in each line of BUS_DENIALS_FILE, each thing once. The members
 * are those of AppArmor's denials (app/denial.h) as far as there is something to say.
 */

#include <jansson.h>
#include <stdint.h>

#include "base/error.h"
#include "profile/profile.h"
#include "session/bus-log.h"

#define BUS_DENIALS_FILE "bus-denials"
#define BUS_DENIALS_MAX	 256U /* of one sandbox; what is different after that is not told */

struct bus_denials;

/* `dir` and `p` are borrowed; `p` tells which line of it was not enough. */
struct bus_denials *bus_denials_new(int dir, const struct profile *p);
struct bus_denials *bus_denials_free(struct bus_denials *d);

/* Adds it. Returns false if the same was there before, or there is no room for more. */
bool bus_denials_add(struct bus_denials *d, const struct bus_blocked *b);

/* As an event of `run --trace --json` and of learn runs (app/learn-events.h); the caller's. */
json_t *bus_denial_to_event(const struct bus_blocked *b);

/* One line about it without a newline, safe for a terminal; owned by the caller. */
char *bus_denial_describe(const struct bus_blocked *b, const struct profile *p);

/* Tells what is in the file beyond *offset, which it moves on; a missing file is empty. The object
 * and the sentence are borrowed for the call. */
typedef void bus_denial_fn(void *user, const json_t *object, const char *text);
int bus_denials_read(int dir, size_t *offset, bus_denial_fn *fn, void *user, struct error **err);
