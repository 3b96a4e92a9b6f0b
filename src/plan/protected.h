#pragma once

/*
 * Paths that would undo the sandbox if an application could write, or answer, there: what shells
 * and desktops run at the next login, vitrine's own files, sockets of agents, displays and buses.
 * Neither they nor what is beneath them is ever given; in a given tree they are masked. Pure: the
 * caller resolves links. Names are compared as base/fold.h does.
 *
 * The line is drawn at what acts without a word of the user (login, session, menu, bus, service
 * manager), at commands that are typed every day (shell, editor, version control, interpreter),
 * and at what is loaded into every program. Settings of one desktop application are not on the
 * list: to give them to just that application is what a profile is for. Whoever gives ~/.config as
 * a whole gives all of these. Keys and passwords are on it wherever programs expect them.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

/* Paths beneath the home, NULL-terminated: ".bashrc", ".config/autostart", ... */
extern const char *const protected_in_home[];

/* The same for names of which only the beginning is known: ".zshrc", ".cache/p10k-", ... */
extern const char *const protected_begins_in_home[];

/* Does `rest`, a path beneath the home, begin like one of those? */
bool protected_begins(const char *rest);

/* What must be known of the user. All paths absolute and real (no links in them). */
struct protection {
	const char *home;
	uid_t uid;
	/* Where protected paths of the home lie that are reached through a link (a dotfiles
	 * repository, say) or that the environment names, and every link on the way there: who can
	 * replace one decides where it leads. NULL-terminated, may be NULL. */
	char *const *elsewhere;
	char *const *begins; /* the same, of names that begin so */
	/* errno of what could not be read for want of descriptors or memory */
	int unread;
};

/* May `path` (absolute, real, any bytes) be given? Otherwise -EPERM and what to do instead.
 * Refused are: what is protected; the home itself and every directory above it; system directories
 * (/, /proc, /sys, /dev, /run, /boot, ...; of /run only /run/media/USER/X and
 * /run/user/UID/{gvfs,doc}/X, and what is beneath them, can be given). */
int protected_check(const struct protection *p, const char *path, bool directory,
		    struct error **err);

/* The protected paths beneath the tree `path`, relative to it (one that ends with '*' means every
 * path that begins so); owned by the caller, may be NULL. */
char **protected_masks(const struct protection *p, const char *path);
