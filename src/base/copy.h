#pragma once

/*
 * The content of one open file into another one, without the file offsets: others may share them.
 * What the file system can share is shared, and holes stay holes: a sparse file of a hostile
 * application takes no more room, and no more time, than its data. 0 or -errno.
 */

#include <stddef.h>
#include <sys/types.h>

/* A part of the next data between *at and `end`, at most `size` bytes; *at moves on. 1: that was
 * not all; 0: that was, and `to`, which was empty at first, ends at `end`. */
int copy_piece(int from, int to, off_t *at, off_t end, size_t size);

/* As much as there is now. */
int copy_all(int from, int to);
