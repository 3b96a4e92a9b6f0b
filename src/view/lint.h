#pragma once

/*
 * What is wrong, or needs a reason, in a profile: a table of checks with codes that stay what they
 * are. Pure: the caller has loaded what a profile is compared with.
 */

#include "profile/profile.h"

enum lint_severity {
	LINT_ERROR,
	LINT_WARNING,
	LINT_INFO,
	LINT_SEVERITY_MAX,
};

const char *lint_severity_to_string(enum lint_severity s);

struct lint_finding {
	const char *code; /* "V001" */
	enum lint_severity severity;
	char *profile; /* name */
	char *text;    /* a sentence without its full stop, escaped */
	char *file;    /* where it is, escaped; NULL: in no place */
	unsigned line; /* 0: in no line of it */
};

struct lint {
	struct lint_finding *list;
	size_t n;
};

void lint_release(struct lint *l);

/* Adds one with this code. `o` may be NULL. */
void lint_add(struct lint *l, const char *code, const char *profile, const struct profile_origin *o,
	      const char *format, ...) __attribute__((format(printf, 5, 6)));

struct lint_subject {
	const struct profile *profile;
	const char *text;	      /* of its own file */
	const char *file;	      /* path of that, as in profile.files */
	const struct profile *parent; /* that it inherits from, or NULL */
	bool has_recipe;
	char *const *packages;	    /* of its recipe, and of those below */
	const char *policy;	    /* text of its policy of system calls, or NULL */
	struct profile *const *all; /* all profiles, this one among them */
	size_t n_all;
};

void lint_profile(const struct lint_subject *s, struct lint *ret);

/* Exceptions: lines "PROFILE CODE reason", "#" for a comment. Findings that one names are taken
 * away; what is none, and what names nothing that was found in the profiles that were looked at
 * (NULL: in all), is a finding itself. */
void lint_except(struct lint *l, const char *text, const char *file, char *const *looked_at);
