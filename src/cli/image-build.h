#pragma once

/* Builds an image and shows how far it is: one line that is redrawn on a terminal, a line for each
 * phase elsewhere, all on stderr. Reports an error itself; returns an exit status. */
int image_build_and_show(const char *home, const char *name, const char *suite);
