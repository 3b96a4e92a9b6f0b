#pragma once

/*
 * The ceiling: what any profile, user or command line may ask at most, in rules of the
 * administrator. Pure: it knows rules, a profile, and who asks. Where rules lie is known to
 * profile/ceiling-load.h.
 *
 * A rule is one file: [Match] says whom it binds, everything else are sections and keys of
 * profiles with the greatest value that is allowed. All rules that bind count together.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"
#include "profile/profile.h"

#define CEILING_RULES_MAX 256U

struct ceiling;

/* No rules: everything is allowed. */
struct ceiling *ceiling_new(void);
struct ceiling *ceiling_free(struct ceiling *c);

static inline void ceiling_freep(struct ceiling **c)
{
	ceiling_free(*c);
}

/* Reads the rule of one file, named `file` in messages. Whatever could not bind is an error:
 * unknown and unsupported keys, and keys that say nothing about rights. */
int ceiling_add(struct ceiling *c, const char *text, size_t size, const char *file,
		struct error **err);

/* Who asks. */
struct ceiling_subject {
	const char *user;
	uid_t uid;
	char *const *groups; /* names and numbers of all; may be NULL */
	const char *home;    /* real: rules name paths beneath it as "~/x" */
	/* The absolute path without links that a path of a profile stands for; owned by the
	 * caller. */
	char *(*resolve)(void *data, const char *path);
	void *data;
};

/* How many rules there are, and how many of them may bind this user, with some profile. */
size_t ceiling_count(const struct ceiling *c);
size_t ceiling_count_binding(const struct ceiling *c, const struct ceiling_subject *s);

/* What the profile asks for and may not have is refused with the line of the rule; what it has
 * because nobody said anything is narrowed to the rule. Then no rule that binds is exceeded. After
 * an error `p` is only good for profile_free(). */
int ceiling_apply(const struct ceiling *c, const struct ceiling_subject *s, struct profile *p,
		  struct error **err);

/* May this file or directory of the host (real path) be given to a sandbox of this profile?
 * `asked`: by the user at run time, not by the profile. */
int ceiling_check_given(const struct ceiling *c, const struct ceiling_subject *s,
			const struct profile *p, const char *path, bool writable, bool asked,
			struct error **err);
