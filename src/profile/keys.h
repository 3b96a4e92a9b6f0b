#pragma once

/*
 * The key table of profiles: the one truth. The reader, `profile show`, the ceiling, the manual's
 * check, the completion and the fuzz seeds follow it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "profile/profile.h"
#include "profile/value.h"

#define KEYS_MAX 128 /* for arrays with one entry for each key */

size_t key_count(void);

/* The i-th row, sections together; NULL behind the last one. */
const struct key *key_at(size_t i);
size_t key_index(const struct key *k);

/* NULL: there is no such key. */
const struct key *key_find(const char *section, const char *name);

/* Is there such a section? Otherwise -EINVAL, and what is near. */
int section_check(const char *section, struct error **err);

/* Says why a section has no such key, and what is near. Always -EINVAL. */
int key_refuse(const char *section, const char *name, struct error **err);

/* Is its effect built? What is not supported has no field, and the reader refuses it. */
bool key_is_supported(const struct key *k);

void *key_field(const struct key *k, struct profile *p);
const void *key_value(const struct key *k, const struct profile *p);
