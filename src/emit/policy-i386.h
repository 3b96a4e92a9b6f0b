#pragma once

/*
 * The same policy for the 32-bit programs of this machine. Their ABI has calls that x86_64 has not,
 * each of which is decided as the one that does the same there; calls with other arguments; and two
 * that stand for many (socketcall, ipc), whose arguments lie in memory where no filter can look.
 */

#include "emit/policy.h"

/* Only rules whose names are calls of i386 matter. What cannot be said there as exactly is denied:
 * ipc where one of its parts is, socketcall where no rule allows it. The rules' files are those of
 * `p`, which must outlive the result. */
struct policy *policy_for_i386(const struct policy *p);

/* Is this a call that stands for others? */
bool policy_is_multiplexer(const char *name);
