#pragma once

/* One rule of the ceiling, for profile/ceiling.c alone. */

#include "profile/ceiling.h"
#include "profile/keys.h"

struct ceiling_rule {
	/* [Match]; NULL: whoever it is */
	char **profiles;
	char **users;
	char **groups;
	struct profile *limits; /* a key that has an origin is limited */
};

int ceiling_rule_read(const char *text, size_t size, const char *file, struct ceiling_rule **ret,
		      struct error **err);
struct ceiling_rule *ceiling_rule_free(struct ceiling_rule *r);

bool ceiling_rule_limits(const struct ceiling_rule *r, const struct key *k);

/* "FILE:LINE" of the limit; owned by the caller. */
char *ceiling_rule_place(const struct ceiling_rule *r, const struct key *k);
