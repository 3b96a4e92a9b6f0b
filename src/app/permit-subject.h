#pragma once

/* Who this user is to the rules of the administrator. */

#include "app/facts.h"
#include "app/user-dirs.h"
#include "profile/ceiling.h"

struct permit_subject {
	struct ceiling_subject to_rules; /* points into this and these: */
	char *user;
	char *home; /* as the password database says */
	char *real; /* the same without links */
	char **groups;
	struct user_dirs dirs;
};

/* Groups are those of the databases and those of this process: a user can leave neither. */
int permit_subject_gather(const struct facts *facts, struct permit_subject *ret,
			  struct error **err);
void permit_subject_release(struct permit_subject *s);
