#pragma once

/*
 * The /dev of every box: null, zero, full, random, urandom and tty of the host, on a read-only
 * tmpfs, with places for pseudo-terminals and shared memory. Made once, in the holder; a box gets a
 * copy of the whole tree of mounts with two calls, where liblxc would make eight mounts at every
 * start.
 */

#include "base/error.h"

#define DEVICES_DIR "/run/vitrine-dev" /* only in the holder's mount namespace */

/* As root of the holder's namespaces. */
int devices_make(struct error **err);
