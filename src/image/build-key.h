#pragma once

/*
 * What a layer is made from, as one digest: a layer that is there with the same key need not be
 * made again. All that decides what is in it goes in. Pure.
 */

#include "image/apt-plan.h"
#include "image/recipe.h"

struct build_key {
	const char *kind; /* "essential", "packages" */
	const char *architecture;
	const char *suite;
	const struct apt_plan *plan;
	char *const *lowers;	     /* keys or digests of the layers below, the lowest first */
	const struct recipe *recipe; /* NULL: packages alone */
	const char *files;	     /* of its Files=: a text that says what is in there, or NULL */
};

/* Digits as of a digest; owned by the caller. */
char *build_key_make(const struct build_key *k);
