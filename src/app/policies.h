#pragma once

/*
 * The AppArmor policy of the system, as its administrator has it put in place: texts in
 * /etc/apparmor.d, profiles in the kernel, and for users a policy namespace of their own
 * (vitrine-UID), into which they may load what confines their sandboxes further. Runs as root, and
 * trusts no file that another one could have changed.
 */

#include <stdbool.h>

#include "base/error.h"

struct policies_wish {
	const char *root;   /* the system in this directory: texts only; NULL: this one */
	char *const *users; /* who get a namespace; NULL or empty: all who have subordinate ids */
	bool if_possible; /* a kernel without AppArmor gets the texts alone; else it is an error */
};

/* What was done, in words for the administrator: lines, owned by the caller. */
int policies_install(const struct policies_wish *w, char **ret_report, struct error **err);
int policies_remove(const struct policies_wish *w, char **ret_report, struct error **err);
