#pragma once

/* What setattr requests (FUSE_SET_ATTR_*) change, in the words of system calls. */

#include <stdbool.h>
#include <sys/stat.h>

/* For utimensat(2); false: `what` has no times in it. */
bool attr_times(const struct stat *to, int what, struct timespec ret[2]);

/* Mode and times of an open file. 0 or -errno. */
int attr_change_fd(int fd, const struct stat *to, int what);

/* The same of a name that is not followed if it is a link; "." is the directory itself. */
int attr_change_at(int dirfd, const char *name, const struct stat *to, int what);
