#pragma once

/*
 * What the user has confirmed, per profile: ~/.local/state/vitrine/trust/NAME. His own files may
 * narrow a shipped profile as they like; where they widen it, he must have confirmed that very
 * difference. The record also holds the shipped profile as it was last run, so that an update that
 * widens it is noticed. Only the user can write there (plan/protected.h).
 */

#include <stdbool.h>

#include "profile/difference.h"

#define TRUST_RECORDS_MAX 1024U

struct trust {
	char *name;		 /* whose record; NULL: nothing has to be confirmed, ever */
	struct profile *full;	 /* with the user's files */
	struct profile *shipped; /* without */
	bool is_broken;		 /* the shipped one cannot be read: then nothing is allowed by it */
	struct profile *last;	 /* shipped, as last run or confirmed; NULL: never */
	char *confirmed;	 /* digest of a difference, or NULL */
	char *record_problem;	 /* why the record counts for nothing; or NULL */
	struct difference own;	 /* of full over shipped */
	struct difference update; /* of shipped over last */
};

/* Looks at a profile as it was loaded from these directories (profile_dirs()). What is the user's
 * alone has no record, but what it inherits from may have one. */
int trust_look(char *const *dirs, const char *home, const struct profile *p, struct trust *ret,
	       struct error **err);
void trust_release(struct trust *t);

bool trust_wants_own(const struct trust *t); /* own was not confirmed */
bool trust_wants_update(const struct trust *t);

/* -EPERM, with the command that shows and confirms what is missing; or 0. */
int trust_check(const struct trust *t, struct error **err);

/* Writes the record: with confirmation, or after trust_check() at a start. */
int trust_confirm(const struct trust *t, const char *home, struct error **err);
int trust_remember(const struct trust *t, const char *home, struct error **err);

/* Names that have a record, sorted. */
int trust_list(const char *home, char ***ret, struct error **err);

/* -ENOENT where there is none. */
int trust_forget(const char *home, const char *name, struct error **err);
