#pragma once

/* Text to values, whole string or nothing: no sign, no space, no trailing characters. Return 0 or
 * -EINVAL/-ERANGE. */

#include <stdbool.h>
#include <stdint.h>

int parse_u32(const char *s, uint32_t *ret);
int parse_u64(const char *s, uint64_t *ret);

/* Bytes: digits with an optional K, M or G (powers of 1024). */
int parse_size(const char *s, uint64_t *ret);

/* "yes" or "no", nothing else. */
int parse_bool(const char *s, bool *ret);

/* Seconds: digits and one of s, min, h. */
int parse_duration(const char *s, uint32_t *ret);
