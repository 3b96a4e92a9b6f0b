#pragma once

/* Prints what was left out of an archive (box/walk.h) as warnings; the names are escaped already.
 * `prefix` is taken off their beginning. `text` may be NULL. */
void left_out_print(const char *text, const char *prefix);
