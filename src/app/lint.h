#pragma once

/* Loads what view/lint.h compares profiles with, and the exceptions beside them. */

#include "app/facts.h"
#include "view/lint.h"

#define LINT_EXCEPTIONS "lint-exceptions" /* in each directory of profiles */

struct lint_wish {
	char *const *names;	/* of profiles; empty: all */
	const char *exceptions; /* a file, beside those of the directories; or NULL */
	/* As a command line names them (cli/profile-word.h). */
	int (*load)(const char *word, const struct facts *facts, struct profile **ret,
		    struct error **err);
};

/* A profile that cannot be loaded is a finding. */
int lint_run(const struct lint_wish *w, const struct facts *facts, struct lint *ret,
	     struct error **err);
