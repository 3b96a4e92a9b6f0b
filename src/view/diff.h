#pragma once

/* What one profile allows that another one does not. Pure. */

#include "profile/keys.h"

struct difference {
	const struct key *key;
	char *line;		      /* "Mode=private", escaped */
	bool denial;		      /* the other one denies this, and this one does not */
	struct profile_origin origin; /* of the profile that has the line */
};

struct differences {
	struct difference *list;
	size_t n;
};

/* In the order of the keys. */
void differences_find(const struct profile *a, const struct profile *b, struct differences *ret);
void differences_release(struct differences *d);

/* "the default", or "FILE:LINE", escaped; owned by the caller. */
char *origin_text(const struct profile_origin *o);

/* The lines of one direction; "" where there are none. Owned by the caller. */
char *differences_text(const struct differences *d);
