#pragma once

/*
 * The AppArmor profile of one box, as text: what the floor, which is the same for all boxes of its
 * kind, cannot know. It is loaded into a namespace of the user's and stacked on the floor; what
 * both allow is allowed. Pure.
 */

#include "plan/plan.h"

/* A profile is named by its text, so that equal boxes share one. */
struct apparmor_profile {
	char *name; /* KIND-HEX */
	char *text;
};

void apparmor_render(const struct box_plan *b, struct apparmor_profile *ret);
void apparmor_profile_release(struct apparmor_profile *p);
