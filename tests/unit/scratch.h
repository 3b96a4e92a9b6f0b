#pragma once

/* A directory of the test's own below TMPDIR, as cmocka's group state: *state is a struct scratch
 * *. */

#include "base/error.h"

struct scratch {
	char *path; /* absolute */
	int fd;
};

int scratch_make(void **state);
int scratch_remove(void **state);

/* Writes a file in it, with exactly this mode. */
void scratch_file(const struct scratch *s, const char *name, const char *content, unsigned mode);
