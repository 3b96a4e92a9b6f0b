#pragma once

/* Running a program that turns a text into something for the kernel: a clean environment, text in
 * by descriptor, a limit of time and size on what comes out. */

#include <stddef.h>

#include "base/error.h"

struct compiler {
	char *const *argv;
	const char *text;
	size_t limit; /* bytes of output */
};

/* `ret` receives the output, owned by the caller. What the program complained of is the reason of a
 * failure. */
int compiler_run(const struct compiler *c, char **ret, size_t *ret_size, struct error **err);
