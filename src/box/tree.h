#pragma once

/*
 * The whole tree of a box, made before liblxc starts: nothing is mounted into a running box, and
 * nothing is ever written through the merged root, where a link of a hostile image could lead
 * elsewhere. Every mount point is made in the identity layer, which lies over the image: a
 * directory there hides whatever the image has at that name.
 */

#include "box/job.h"

/* Runs as root of the holder's user namespace, in a mount namespace of this box. `gate` is the
 * socket to vitrine-gate (GATE_INBOX); negative: the plan has no mount of the gate. */
int tree_make(const struct job *j, int gate, struct error **err);
