#pragma once

/* The checks of lint.h in parts. Private to src/view/. */

#include "view/lint.h"

typedef void lint_check(const struct lint_subject *s, const char *code, struct lint *ret);

struct lint_rule {
	const char *code;
	enum lint_severity severity;
	lint_check *check; /* NULL: the caller's, or of lint-except.c */
};

struct lint_rules {
	const struct lint_rule *list;
	size_t n;
};

extern const struct lint_rules lint_rules_of_form, lint_rules_of_grants, lint_rules_of_others;

/* Where a key of this profile was set last. */
const struct profile_origin *lint_origin(const struct lint_subject *s, const char *section,
					 const char *key);
