#pragma once

/*
 * Locks of one user's sandboxes: bytes of one file, held by an open file description (fcntl(2),
 * F_OFD_SETLK), so that they go with the last process that holds a copy of the descriptor, however
 * it ends.
 */

#include "base/error.h"
#include "plan/plan.h"

/* Opens the lock file. One open description per sandbox: its own locks do not exclude each other.
 */
int lock_open(int runtime_dir, int *ret_fd, struct error **err);

/* Waits for the right to start or look for the holder; given back by lock_holder_done() or close.
 */
int lock_holder(int lock_fd, struct error **err);
void lock_holder_done(int lock_fd);

/* Takes a slice that no live box has, and no kept home. Hand a copy of lock_fd to every process
 * that uses the ids. */
int slice_take(int lock_fd, struct slice *ret, struct error **err);

/* Takes the slice that a home was given. -EBUSY while a box has it. */
int slice_claim(int lock_fd, uint32_t number, struct slice *ret, struct error **err);
