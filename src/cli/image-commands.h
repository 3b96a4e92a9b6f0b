#pragma once

/*
 * The verbs of `vitrine image`, a file each. Those that root may call are verbs of `vitrine admin
 * image` too, and work on the system's images then.
 */

#include "app/facts.h"
#include "cli/cli.h"
#include "image/store.h"

extern const struct command cmd_admin_image, cmd_admin_image_build;
extern const struct command cmd_image_build, cmd_image_gc, cmd_image_import, cmd_image_list,
	cmd_image_rm, cmd_image_rollback, cmd_image_save, cmd_image_show, cmd_image_update,
	cmd_image_verify;

/* Whose images these are. */
struct image_owner {
	struct facts facts; /* of an ordinary user */
	enum store_kind kind;
	const char *home; /* of facts; NULL: the system */
};

#define IMAGE_OWNER_NONE ((struct image_owner){ .home = NULL })

int image_owner_gather(struct image_owner *ret, struct error **err);
void image_owner_release(struct image_owner *o);

/* The store that the owner changes. */
int image_owner_open(const struct image_owner *o, bool make, struct store *ret, struct error **err);
