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

/* Appends a filter file (emit/filter.h) to *ret; messages name the rule. What does not do what the
 * policy means (emit/seccomp-verify.h) is refused: -EPROTO. */
int seccomp_compile(const struct policy *p, struct buf *ret, struct error **err);

/* Appends the numbers that the calls of its rules have on this machine (emit/watch.h). */
int seccomp_number(const struct policy *p, struct buf *ret, struct error **err);
