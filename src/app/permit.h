#pragma once

/*
 * What may be launched. The only way to a launch, and to a configuration for LXC's own tools: a
 * profile becomes a permit when it is beneath the administrator's ceiling and the user has
 * confirmed what his own files widen. Nothing else makes one, and nothing can be launched without.
 */

#include <stdbool.h>

#include "app/facts.h"
#include "profile/ceiling.h"

struct permit;

/* What the command line asks for, over the profile. */
struct permit_wish {
	const char *section, *key; /* NULL: the end of a list */
	const char *value;	   /* as in a file */
	const char *source;	   /* for messages: "--network" */
};

/* Takes the profile over, also when it fails. `wishes` may be NULL. Remembers the shipped profile
 * that it comes from (app/trust.h). */
int permit_make(struct profile *p, const struct facts *facts, const struct permit_wish *wishes,
		struct permit **ret, struct error **err);
struct permit *permit_free(struct permit *p);

static inline void permit_freep(struct permit **p)
{
	permit_free(*p);
}

/* For what only shows: narrows the profile to the rules as permit_make() would. If a rule refuses
 * it, *ret_why says which (owned by the caller), and it is only good for profile_free(). Nothing is
 * remembered. */
int permit_preview(struct profile *p, const struct facts *facts, char **ret_why,
		   struct error **err);

/* As it may be run: what it did not say is narrowed to the ceiling. */
const struct profile *permit_profile(const struct permit *p);

/* What the user should know of, and that is no reason not to start; or NULL. */
const char *permit_note(const struct permit *p);

/* May this file of the host (real path) be given? `asked`: by the user at run time. The rules are
 * those of the start. */
int permit_check_given(const struct permit *p, const char *path, bool writable, bool asked,
		       struct error **err);

/* Would the rules allow this profile? Otherwise *ret_why says which one forbids it; owned by the
 * caller. */
bool permit_would_allow(const struct permit *p, const struct profile *other, char **ret_why);
