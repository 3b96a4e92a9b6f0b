#pragma once

/*
 * The directory of one profile test, beneath /tmp since what is to be given must not lie where
 * nothing is ever given. It is locked as long as the test runs; what a killed one has left is
 * removed by the next.
 */

#include "base/error.h"

/* Owned by the caller: the path, and the open directory, with which the lock goes. */
int test_scratch_make(char **ret_path, int *ret_fd, struct error **err);
