#pragma once

/* Cuts what arrives at a descriptor into lines. A line of more than LINES_MAX bytes comes in
 * pieces. */

#include <stdbool.h>
#include <stddef.h>

#define LINES_MAX 4096U

/* NUL-terminated, without its end; borrowed for the call. */
typedef void lines_fn(void *user, const char *line);

struct lines {
	lines_fn *fn;
	void *user;
	size_t n;
	char held[LINES_MAX + 1];
};

void lines_add(struct lines *l, const char *data, size_t size);

/* Hands on what came after the last line end. */
void lines_end(struct lines *l);
