#pragma once

/* SHA-256 by libmd (sha2(3)), to name things by what is in them. */

#include <stddef.h>

/* The digest as lower-case hexadecimal digits; owned by the caller. */
char *sha256_hex(const void *data, size_t size);
