#pragma once

/*
 * SHA-256 by nettle, to name things by what is in them. Nettle uses the processor's own
 * instructions for it where there are some: of what else is packaged and small, nothing is as fast.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define SHA256_HEX 64U /* digits of a digest, without the NUL */

/* The digest as lower-case hexadecimal digits; owned by the caller. */
char *sha256_hex(const void *data, size_t size);

/* The same of a file, from where its descriptor stands to its end; ret_size may be NULL. */
int sha256_fd(int fd, char **ret, uint64_t *ret_size, struct error **err);

/* SHA256_HEX lower-case hexadecimal digits, and nothing else? */
bool sha256_is_hex(const char *s);

/* The same of what comes in pieces. */
struct sha256;

struct sha256 *sha256_new(void);
void sha256_add(struct sha256 *s, const void *data, size_t size);

/* The digest of all pieces, as above; the next piece is the first one of another. */
char *sha256_end(struct sha256 *s);
struct sha256 *sha256_free(struct sha256 *s);

static inline void sha256_freep(struct sha256 **s)
{
	sha256_free(*s);
}
