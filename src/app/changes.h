#pragma once

/* What an application has changed, as vitrine-walk tells it (box/walk.h). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define CHANGES_SIZE_MAX (512U << 20)

struct change {
	char kind; /* 'c', 'm' or 'r' */
	char type; /* 'd', 'f', 'l' or 'o' */
	uint64_t size;
	char *path; /* absolute, inside; any bytes */
};

struct changes {
	struct change *list; /* sorted by path: what is in a directory follows it */
	size_t n;
	bool more; /* than are told */
};

/* The text is hostile: it has names that the application chose. */
int changes_parse(const char *data, size_t size, struct changes *ret, struct error **err);
void changes_release(struct changes *c);

/* "created", "modified", "removed" */
const char *change_kind_to_string(char kind);
/* "directory", "file", "link", "other" */
const char *change_type_to_string(char type);

/* Of the i-th change: how many follow that lie in it, if it is a new directory; their bytes.
 * Changes that lie in another one need not be told by themselves. */
size_t changes_within(const struct changes *c, size_t i, uint64_t *ret_bytes);
