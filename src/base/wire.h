#pragma once

/*
 * Messages between our own processes: numbers, strings and string vectors, packed in order. Both
 * ends are built together, so there is no version; but what arrives may be hostile, so a reader
 * never trusts a length, and every error sticks: read all fields, then ask wire_end() once.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define WIRE_STRING_MAX (2U << 20) /* one string */
#define WIRE_VECTOR_MAX 4096U	   /* strings in one vector */

struct wire {
	const char *at;
	const char *end;
	bool bad;
};

void wire_put_u32(struct buf *b, uint32_t value);
void wire_put_u64(struct buf *b, uint64_t value);
void wire_put_bytes(struct buf *b, const void *data, size_t size);
void wire_put_string(struct buf *b, const char *s); /* NULL is sent as "" */
void wire_put_strv(struct buf *b, char *const *v);

static inline struct wire wire_open(const void *data, size_t size)
{
	return (struct wire){ .at = data, .end = (const char *)data + size };
}

/* After an error these return 0, an empty string (owned), an empty vector, or NULL with size 0. */
uint32_t wire_get_u32(struct wire *w);
uint64_t wire_get_u64(struct wire *w);
const void *wire_get_bytes(struct wire *w, size_t *ret_size); /* points into the message */
char *wire_get_string(struct wire *w);			      /* refuses NUL inside */
char **wire_get_strv(struct wire *w);

/* True if every field was there and nothing is left over. */
bool wire_end(const struct wire *w);
