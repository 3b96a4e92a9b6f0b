#pragma once

#include "image/build.h"

/* Builds an image and shows how far it is: one line that is redrawn on a terminal, a line for each
 * phase elsewhere, all on stderr. `b` says what; progress is added here. Reports an error itself;
 * returns an exit status, and with EXIT_OK what was made. */
int image_build_and_show(const struct build *b, struct build_result *ret);
