#pragma once

/*
 * Which program shows the windows of applications, in words: for doctor and for who looks at a
 * start. It comes with the image of the display box and of the viewer box, whose release need not
 * be the host's: Debian 13 packages no xpra.
 */

#include "base/error.h"
#include "profile/profile.h"

/* "xpra 3.1.3 of the image 'display' (Debian 12)"; NULL where `backend` shows none. -ENOENT: the
 * image is not there; -ENOPKG: it lacks the program. */
int windows_text(const char *home, enum display_backend backend, char **ret, struct error **err);

/* The version of Debian's package without what Debian adds: "3.1.3" of "1:3.1.3+dfsg1-2". */
char *upstream_version(const char *version);

/* "Debian 12" of "bookworm"; a release that is not known here keeps its name. */
const char *release_name(const char *suite);
