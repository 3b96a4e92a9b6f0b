#pragma once

/* NULL-terminated vectors of strings, as execve() wants them. NULL is a valid empty vector. */

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

#define _cleanup_strv_ _cleanup_(strv_freep)

size_t strv_length(char *const *v);
bool strv_contains(char *const *v, const char *s);

/* Appends a copy of s (strv_add), takes s over (strv_take), or appends formatted text. */
void strv_add(char ***v, const char *s);
void strv_take(char ***v, char *s);
void strv_addf(char ***v, const char *format, ...) __attribute__((format(printf, 2, 3)));
void strv_add_all(char ***v, char *const *more);

char **strv_copy(char *const *v);
char *strv_join(char *const *v, const char *separator);
char **strv_free(char **v);

static inline void strv_freep(char ***v)
{
	strv_free(*v);
}
