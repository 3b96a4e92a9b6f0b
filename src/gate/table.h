#pragma once

/*
 * Things that the kernel knows by a number. A number is an index here, so whatever arrives leads to
 * something that is there, or to nothing. 0 is none.
 */

#include <stddef.h>
#include <stdint.h>

struct table {
	void **entries; /* what is free holds the number of the next free one, marked */
	size_t room;
	size_t free; /* first free number; 0: full */
};

uint64_t table_add(struct table *t, void *thing);
void *table_find(const struct table *t, uint64_t id); /* or NULL */
void table_remove(struct table *t, uint64_t id);
void table_release(struct table *t);
