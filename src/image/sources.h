#pragma once

/*
 * Where packages come from: the host's own configuration in /etc/apt, reduced to what offers the
 * wanted suite (with its updates and security fixes) and can be verified by this user. There is no
 * name of a server in this program.
 */

#include "base/error.h"

struct sources {
	char *list;	/* lines as in sources.list(5); NULL: none */
	char *deb822;	/* stanzas as in *.sources; NULL: none */
	char **options; /* of apt.conf(5): how the host reaches the network */
};

/* The suite of this host, from os-release(5). */
int sources_host_suite(char **ret, struct error **err);

/*
 * Reads sources.list and sources.list.d beneath `apt_dir`. Sources of `host_suite` (may be NULL),
 * or of "stable" and the like, serve for another suite by its name, if none names that itself.
 * -ENOENT where nothing is left.
 */
int sources_read(const char *apt_dir, const char *suite, const char *host_suite,
		 struct sources *ret, struct error **err);

/* Adds the options by which apt reaches its servers on this host (apt-config(8)). */
int sources_read_options(struct sources *s, struct error **err);

void sources_release(struct sources *s);
