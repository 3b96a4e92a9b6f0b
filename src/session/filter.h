#pragma once

/*
 * The compiled filter of a box, by what its profile says in [Seccomp]. A named policy was compiled
 * when vitrine was built. What a profile changes is compiled by vitrine-filter, or comes from
 * ~/.cache/vitrine/seccomp, where it is kept by what it depends on: the whole text of the policy,
 * and the compiler. No sandbox is ever given what is kept there; it is believed only if it is the
 * user's alone and is what was written.
 */

#include "emit/policy.h"
#include "profile/profile.h"

#define FILTER_CACHE	 ".cache/vitrine/seccomp" /* beneath the home */
#define FILTER_CACHE_MAX 64U			  /* files that are kept */

struct filter_places {
	const char *home;
	const char *policies; /* NAME.policy */
	const char *programs; /* NAME.bpf, vitrine-filter */
};

/* What is installed. */
#define FILTER_PLACES(user_home)                                                  \
	((struct filter_places){ user_home, VITRINE_DATA_DIR "/seccomp-policies", \
				 VITRINE_EXEC_DIR })

/* The whole policy of a profile's application, without sets and includes: what is compiled. */
int filter_text(const struct filter_places *places, const struct profile *p, char **ret,
		struct error **err);

/* `ret_fd` receives a file for vitrine-init (emit/filter.h). No filter, no start. */
int filter_open(const struct filter_places *places, const struct profile *p, int *ret_fd,
		struct error **err);

/* The policy that the profile names, with its additions. */
int filter_resolve(const struct filter_places *places, const struct profile *p, struct policy **ret,
		   struct error **err);

/* Of what runs in other boxes than the application's. */
int filter_open_default(const struct filter_places *places, int *ret_fd, struct error **err);
