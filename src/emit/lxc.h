#pragma once

/*
 * The LXC configuration of one box, as text. Pure: what is static comes from the fragments that the
 * caller has read from VITRINE_DATA_DIR/lxc-configs, what is the box's own is rendered here. The
 * result is checked key by key, whoever wrote the fragments.
 */

#include "base/error.h"
#include "plan/plan.h"

#define LXC_FRAGMENTS_MAX 4U

struct lxc_inputs {
	const char *root;	     /* the prepared tree, absolute */
	const char *fragments;	     /* text of all fragments, one after the other */
	const char *seccomp_profile; /* absolute path of the deny list for liblxc */
};

/* A path that is the same for a shell, for liblxc and for a reader: nothing in it could end the
 * value, start another key or be taken for an option. */
bool lxc_path_is_plain(const char *s);

/* File names of the fragments of a box, NULL-terminated. */
void lxc_fragments(enum box_kind kind, enum network_mode network,
		   const char *ret[LXC_FRAGMENTS_MAX + 1]);

int lxc_config_render(const struct box_plan *b, const struct lxc_inputs *in, char **ret,
		      struct error **err);

/* Only keys that we know, with values of the expected form; no hook, no include; ids map to slices
 * only (with `own_id`, a user's to OWNER_USER too); and nothing that confines is missing. */
int lxc_config_check(const char *text, bool own_id, struct error **err);
