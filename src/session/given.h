#pragma once

/*
 * What the user named on a command line or in a profile, opened once. A link is followed only where
 * nobody but root could have put it: an application that was given a directory may have put a link
 * into it, and what it leads to was not given.
 */

#include <stdbool.h>

#include "base/error.h"
#include "plan/protected.h"

struct given {
	int parent; /* O_PATH of the directory that it lies in; owned */
	char *name; /* in parent: any bytes but '/' */
	int fd;	    /* O_PATH | O_NOFOLLOW of it; -EBADF: there is nothing yet; owned */
	char *path; /* absolute and real; any bytes. For messages (escaped), and for protection */
	bool directory; /* otherwise a regular file, or not there yet */
};

#define GIVEN_NONE ((struct given){ .parent = -EBADF, .fd = -EBADF })

/* `path` may be relative to the working directory. With `missing` it may not exist: its directory
 * must. Anything but a regular file or a directory is refused (-EINVAL), and so is what is
 * protected, or on a file system of the kernel's own (-EPERM). -ENOENT where it does not exist;
 * -ELOOP for a link, with the real path in the message. */
int given_open(const char *path, bool missing, const struct protection *p, struct given *ret,
	       struct error **err);

/* The same from descriptors that another process of the user sent (both taken over, fd may be
 * negative): verifies that fd is what has the name in parent, or that nothing has it. */
int given_receive(int parent, int fd, const char *name, const struct protection *p,
		  struct given *ret, struct error **err);

/* The descriptor that the gate gets: of a file opened for reading, or for both (O_RDWR); O_PATH of
 * a directory. It is that very file, never another one that has taken its name; -ESTALE if one has.
 * -EACCES etc. as open(2). */
int given_reopen(const struct given *g, bool writable, int *ret_fd, struct error **err);

void given_release(struct given *g);

/* Fills *ret from the user's home: its real path, and where the links of protected paths lead, and
 * those in protected directories, with every link on the way; also what the environment says
 * instead of ~/.config and the like. Release with protection_release(). `home` is borrowed for the
 * call. */
int protection_gather(const char *home, struct protection *ret, struct error **err);
void protection_release(struct protection *p);
