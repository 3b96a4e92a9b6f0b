#pragma once

/* Subordinate ids of the user who runs this (subuid(5), subgid(5)). */

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

/* The first range of at least `count` ids in `file` (/etc/subuid or /etc/subgid) that belongs to
 * this user, by name or number. -ENOENT with the command that adds one; a range that holds system
 * ids (below 1000) or the user's own id is refused. */
int subid_find(const char *file, uint32_t count, uint32_t *ret_first, struct error **err);

/* The same over the text of such a file: pure. */
int subid_parse(const char *text, const char *file, const char *user, uint32_t uid, uint32_t count,
		uint32_t *ret_first, struct error **err);
