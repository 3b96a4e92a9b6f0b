#pragma once

/* What an argument or a variable of a profile may leave open: %h, %u and %i, and %% for a percent
 * sign. Nothing comes from the caller's environment. */

#include <stdbool.h>

struct specifiers {
	const char *home; /* %h */
	const char *user; /* %u */
	const char *id;	  /* %i: of the sandbox */
};

/* Is each percent sign followed by one of these? */
bool specifiers_are_valid(const char *s);

/* The text with all of them replaced; it must be valid. Owned by the caller. */
char *specifiers_expand(const char *s, const struct specifiers *values);

/* The text that expands to s. Owned by the caller. */
char *specifiers_escape(const char *s);
