#pragma once

/* What a profile becomes on this machine, as text: the layers that its plan is compiled to. */

#include "app/facts.h"
#include "profile/profile.h"

enum show_format {
	SHOW_PROFILE,
	SHOW_PLAN,
	SHOW_LXC,
	SHOW_SECCOMP,
	SHOW_APPARMOR,
	SHOW_BUS,
	SHOW_NETWORK,
	SHOW_ENV,
	SHOW_FORMAT_MAX,
};

extern const char *const show_format_names[SHOW_FORMAT_MAX + 1];

struct show {
	enum show_format format;
	enum box_kind box; /* of LXC, AppArmor and the environment */
	bool origins;	   /* of the profile's settings */
};

/* *ret_notes: what a run would have otherwise, may be NULL. -ENOENT where the plan has no such box.
 * Both results are owned by the caller. */
int show_render(const struct show *s, const struct profile *p, const struct facts *facts,
		char **ret, char ***ret_notes, struct error **err);
