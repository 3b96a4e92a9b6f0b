#pragma once

/*
 * What went wrong, in words for the user. The deepest function that knows the cause sets it once;
 * callers add what they were doing with error_prefix(). Functions that can fail return 0 (or more)
 * or -errno, and take `struct error **err` last; *err is NULL on entry and set exactly when the
 * result is negative. Nothing below cli/ prints or exits.
 */

#include "base/alloc.h"

struct error {
	int code; /* a positive errno value */
	char *message;
};

/* Sets *err and returns -code, so that a caller can `return error_set(...)`. */
int error_set(struct error **err, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* As error_set() with code errno and ": <text of errno>" appended. */
int error_errno(struct error **err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "<format>: " before the message of *err; returns -code again. */
int error_prefix(struct error **err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Hands the error from one place to another: *err = from (owned); returns -code. */
int error_move(struct error **err, struct error *from);

struct error *error_free(struct error *e);

static inline void error_freep(struct error **e)
{
	error_free(*e);
}
