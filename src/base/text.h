#pragma once

/* Names and text that come from outside: what is allowed, and how to print it safely. */

#include <stdbool.h>
#include <stddef.h>

struct buf;

#define NAME_LENGTH_MAX 63

/* [a-z0-9][a-z0-9-]*, at most NAME_LENGTH_MAX bytes: profile, image and sandbox names. */
bool name_is_valid(const char *s);

/* Absolute and in its shortest form: no empty, "." or ".." component, no slash at the end; so "/"
 * is none. Only then does comparing text tell where it lies. */
bool path_is_shortest(const char *s);

/* No control characters (C0, DEL, C1 as UTF-8) and valid UTF-8. */
bool text_is_clean(const char *s);

/* The same, and no character that changes the direction of text: what is read is what is there. */
bool text_is_plain(const char *s);

/* A copy that is safe on a terminal: whatever is not clean printable UTF-8, and the characters
 * that change the direction of text, are written as \xNN. At most `limit` bytes of s are used. */
char *text_escape(const char *s, size_t limit);

/* The same for output of several lines, a piece at a time: newlines and tabs stay. Appends to `out`
 * and returns how many bytes it used: less than `size` where the piece ends inside a character, of
 * which the rest is in the next piece. data[size] must be NUL. */
size_t text_escape_lines(struct buf *out, const char *data, size_t size);

/* The entry of `candidates` (NULL-terminated) nearest to s, or NULL if none is near. */
const char *text_suggest(const char *s, char *const *candidates);
