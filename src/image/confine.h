#pragma once

/* For a process that reads what may be hostile, and writes one tree. */

#include "base/error.h"

/*
 * From now on files are opened and made beneath `dir` alone (a negative one: nowhere), and nothing
 * is executed: by Landlock, where the kernel has it in a form that lets hard links be made. A
 * kernel without it is no error: what is beneath the directory is decided by image/extract.h
 * anyway.
 */
int confine_beneath(int dir, struct error **err);
