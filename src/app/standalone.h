#pragma once

/*
 * A configuration with all that it names, ready for the stock tools of LXC: what lies over the
 * image is in ~/.local/share/vitrine/standalone/PROFILE, and is made anew each time.
 */

#include "app/stock.h"

/* As stock_make(). The last of the notes may be a command that lets the container's root come to
 * its files: rights of the user's own directories change by his hand alone. */
int standalone_make(const struct permit *permit, const struct facts *facts, char *const *arguments,
		    struct stock *ret, struct error **err);
