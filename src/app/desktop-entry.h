#pragma once

/*
 * What a desktop file of a package says about how its application is started. Pure; reads what
 * profiles can use of it, and takes a file that it does not understand for none.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/alloc.h"

#define DESKTOP_ENTRY_MAX 262144U /* bytes of a file that is looked at */

struct desktop_entry {
	char **command;	  /* without field codes */
	char *name;	  /* may be NULL */
	bool takes_files; /* there was a field code for them */
};

/* False: nothing that a menu would show and start by itself. `text` ends with NUL. */
bool desktop_entry_read(const char *text, struct desktop_entry *ret);
void desktop_entry_release(struct desktop_entry *e);
