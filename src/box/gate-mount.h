#pragma once

/* The file system of a sandbox's gate: mounted here, served by vitrine-gate outside
 * (gate/protocol.h). */

#include "base/error.h"

/* Mounts it at the directory `at`, as root of the user namespace that the boxes descend from, so
 * that their processes may use it (fuse.rst, allow_other), and sends the open /dev/fuse, and a
 * clone of it, over `socket`. This process keeps nothing of it: when vitrine-gate ends, every
 * access fails (ENOTCONN) instead of waiting. */
int gate_mount(int at, int socket, struct error **err);
