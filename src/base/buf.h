#pragma once

/* Growable bytes, always followed by a NUL that is not counted. Initialise with { 0 }. */

#include <stddef.h>

#include "base/alloc.h"

struct buf {
	char *data; /* NULL while nothing was added */
	size_t size;
	size_t room;
};

#define _cleanup_buf_ _cleanup_(buf_release)

void buf_add(struct buf *b, const void *data, size_t size);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Returns the bytes (never NULL), owned by the caller, and leaves b empty. */
char *buf_take(struct buf *b);
void buf_release(struct buf *b);
