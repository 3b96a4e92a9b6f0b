#pragma once

/*
 * Policy to BPF, with libseccomp: the only file that knows it. Two programs are made, since a rule
 * of libseccomp can either be a list of what is allowed or a list of what is not:
 *
 *   1. the allow-list: native architecture only, every other one answers ENOSYS;
 *   2. the denied arguments of allowed calls.
 */

#include "base/buf.h"
#include "emit/policy.h"

/* Appends a filter file (emit/filter.h) to *ret. `file` is for messages. */
int seccomp_compile(const struct policy *p, const char *file, struct buf *ret, struct error **err);
