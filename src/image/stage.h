#pragma once

/*
 * An image in the making: .NAME.PID.new beside its later place, locked (flock(2) on the directory)
 * as long as its maker lives. What is found there without a lock was left by a process that was
 * killed, and is removed by the next one.
 */

#include "base/error.h"

struct stage {
	int images; /* all owned */
	int dir;
	int root; /* where the tree goes */
	char *name;
	char *temporary;
};

#define STAGE_NONE ((struct stage){ .images = -EBADF, .dir = -EBADF, .root = -EBADF })

/* -EBUSY while the image is in use, or made by another process. */
int stage_begin(const char *home, const char *name, struct stage *ret, struct error **err);

/* Puts the image in its place, in one step; an older one of that name is removed. */
int stage_commit(struct stage *s, const char *manifest, struct error **err);

/* Removes what was not committed. */
void stage_release(struct stage *s);
