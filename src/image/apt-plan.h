#pragma once

/*
 * What apt would do, read from `apt-get --simulate`: packages to unpack, configure and remove, in
 * the order in which dpkg has to do it. Pure: lines in, steps out. The names and versions come from
 * a server, and become arguments and names of files; what does not look like one is refused.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define APT_STEPS_MAX 40000U

enum apt_action {
	APT_UNPACK,
	APT_CONFIGURE,
	APT_REMOVE,
	APT_PURGE,
	APT_ACTION_MAX,
};

struct apt_step {
	enum apt_action action;
	char *name;
	char *version; /* the new one; NULL where it is removed */
	char *arch;    /* as version */
};

struct apt_plan {
	struct apt_step *steps;
	size_t n_steps;
};

/* Takes in one line; what is no step is passed over. -EPROTO for a step that cannot be understood.
 */
int apt_plan_line(struct apt_plan *p, const char *line, struct error **err);
void apt_plan_release(struct apt_plan *p);

/* How apt names the file of a package: "libc6_1%3a2.36_amd64.deb". */
char *apt_file_name(const struct apt_step *s);

/* "name=version/arch" of all that is unpacked, and "name-" of what is removed, sorted. */
char **apt_plan_versions(const struct apt_plan *p);

/* Seconds since 1970 of the line "Date:" of a Release file; 0 where there is none. */
uint64_t apt_release_date(const char *text);
