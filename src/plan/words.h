#pragma once

/* Templates of the plan's tables: "{name}" stands for the value of a word. */

#include <stddef.h>

#include "base/alloc.h"

#define WORDS_MAX 24U

struct words {
	const char *names[WORDS_MAX]; /* borrowed */
	char *values[WORDS_MAX];      /* owned */
	size_t n;
};

#define _cleanup_words_ _cleanup_(words_release)

void words_add(struct words *w, const char *name, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Every name in the template must be a word. Values are not expanded again. Owned by the caller. */
char *words_expand(const struct words *w, const char *template);

void words_release(struct words *w);
