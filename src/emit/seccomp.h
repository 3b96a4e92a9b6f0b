#pragma once

/*
 * Policy to BPF, with libseccomp: the only file that knows it. Two programs are made, since a rule
 * of libseccomp can either be a list of what is allowed or a list of what is not:
 *
 *   1. the allow-list: every other architecture, and x32, answers ENOSYS;
 *   2. the denied arguments of allowed calls. Where denials are to be logged, all of them: the
 *      kernel logs by program.
 */

#include "base/buf.h"
#include "emit/policy.h"
#include "emit/watch.h"

/* Appends a filter file (emit/filter.h) to *ret. `file` is for messages. */
int seccomp_compile(const struct policy *p, const char *file, struct buf *ret, struct error **err);

/* Adds its rules to *ret, with the numbers of their calls on this machine (emit/watch.h). */
int seccomp_number(const struct policy *p, const char *file, struct watch_policy *ret,
		   struct error **err);
