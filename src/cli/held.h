#pragma once

/* What is run while a sandbox is held at its end (app/launch.h): this program again, with these
 * words. */

#include "base/spawn.h"

int held_start(char *const *words, struct child *ret, struct error **err);
