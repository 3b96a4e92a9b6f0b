#pragma once

/*
 * Reader of the file format: `[Section]`, `Key=value`, and lines that start with `#`. There is no
 * quoting, no continuation and no expansion, so that what one reads is what is meant. Knows nothing
 * of any key.
 */

#include <stddef.h>

#include "base/error.h"

#define INI_FILE_MAX (1U << 20) /* bytes of one file */
#define INI_LINE_MAX 4096U	/* bytes of one line */

/* Borrowed for the call; the value is valid UTF-8 without control characters, without
 * those that change the direction of text, and without outer spaces. */
struct ini_entry {
	const char *section;
	const char *key;   /* NULL: the section begins here, there is no value */
	const char *value; /* may be empty */
	unsigned line;	   /* from 1 */
};

/* Called for each `[Section]` and `Key=value` in the order of the file. What it says in *err needs
 * no place. */
typedef int ini_fn(void *user, const struct ini_entry *e, struct error **err);

/* Stops at the first error, which reads "file:line: ...". */
int ini_read(const char *text, size_t size, const char *file, ini_fn *fn, void *user,
	     struct error **err);
