#pragma once

/* `profile show --format=lxc --standalone`: what the stock tools of LXC can start. It is a launch,
 * so it has a permit. */

#include "app/facts.h"
#include "profile/profile.h"

struct standalone_wish {
	char *const *arguments; /* added to those of the application */
	const char *root; /* --root: an empty directory, whose owner stays; NULL: made for it */
};

/* Takes the profile over. Both results are owned by the caller. */
int show_standalone(struct profile *p, const struct standalone_wish *wish,
		    const struct facts *facts, char **ret_config, char ***ret_notes,
		    struct error **err);
