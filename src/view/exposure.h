#pragma once

/*
 * What an application may do by each setting of its profile: how much is given away, and in words.
 * `profile explain` and `profile audit` are made of one table, a row for each key that can give
 * anything. Pure: from the profile and from the plan that this machine makes of it.
 */

#include "base/buf.h"
#include "plan/plan.h"
#include "profile/keys.h"

/* What a person fears, in the order in which it is told. */
enum fear {
	FEAR_FILES,
	FEAR_WINDOWS,
	FEAR_SOUND,
	FEAR_NETWORK,
	FEAR_BUS,
	FEAR_DEVICES,
	FEAR_IDENTITY,
	FEAR_FILLING,
	FEAR_STAYS,
	FEAR_KERNEL,
	FEAR_MAX,
};

const char *fear_to_string(enum fear f); /* "Your files" */

struct view {
	const struct profile *profile;
	const struct plan *plan;
};

#define EXPOSURE_WHOLE 1000U /* all that a row can give away */

struct exposure {
	const char *section, *key; /* NULL: no setting can change it */
	enum fear fear;
	unsigned weight; /* how bad the whole of it is, beside the other rows */
	unsigned (*measure)(const struct view *v); /* up to EXPOSURE_WHOLE; NULL: nothing */
	/* Adds one sentence, unescaped. Is it something that the application can do? */
	bool (*tell)(const struct view *v, struct buf *out);
};

/* The i-th row, those of one fear together; NULL behind the last one. */
const struct exposure *exposure_at(size_t i);

/* The sentence of a row, escaped; owned by the caller. */
char *exposure_sentence(const struct exposure *e, const struct view *v, bool *ret_can);

/* "Network.Mode"; owned by the caller. NULL for a row without a key. */
char *exposure_setting(const struct exposure *e);

/* In hundredths of a point: of one row, and of all together, which is at most 10 points. */
#define EXPOSURE_SCORE_MAX 1000U
unsigned exposure_points(const struct exposure *e, const struct view *v);
unsigned exposure_score(const struct view *v);

/* What a score means, in a word. */
const char *exposure_word(unsigned score);
