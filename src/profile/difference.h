#pragma once

/* What one profile allows that another does not, key by key. */

#include "base/buf.h"
#include "profile/keys.h"

struct difference_entry {
	const struct key *key;
	char **more;		      /* "Key=value": of ORDER_SET_LESS what is missing */
	char *instead;		      /* "Key=value" of the other one; NULL: a list, or no value */
	struct profile_origin origin; /* where it was set last; borrowed from the profile */
};

struct difference {
	struct difference_entry entries[KEYS_MAX];
	size_t n;
};

/* Of `a` over `b`, which is none when `a` is narrower. */
void difference_find(const struct profile *a, const struct profile *b, struct difference *ret);
void difference_release(struct difference *d);

/* Forgets the entries of keys by which `a` does not exceed `b`. */
void difference_keep_exceeding(struct difference *d, const struct profile *a,
			       const struct profile *b);

/* The same text for the same difference, whatever the order of lists and wherever it stands. Owned
 * by the caller. */
char *difference_text(const struct difference *d);
