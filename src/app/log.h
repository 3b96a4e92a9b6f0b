#pragma once

/* The log of a sandbox: what its commands print and what its parts say. Bounded: at the limit the
 * file becomes log.old, and a new one begins. */

#include <stddef.h>

#include "base/error.h"

#define LOG_FILE     "log"
#define LOG_FILE_OLD "log.old"
#define LOG_SIZE_MAX (1U << 20)

struct log;

int log_new(int dir, struct log **ret, struct error **err);

/* A log that cannot be written (a full disk) loses lines; the sandbox goes on. */
void log_write(struct log *l, const char *data, size_t size);
void log_line(struct log *l, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct log *log_free(struct log *l);
