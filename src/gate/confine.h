#pragma once

/*
 * The gate's own box. From confine() on it has no path to anything: files come as descriptors, and
 * the system calls that are left (seccomp-policies/gate.policy) neither make sockets nor start
 * programs.
 */

#include "base/error.h"

/* `filter` is the open gate.bpf. Everything or nothing: after an error the process must end. */
int confine(int filter, struct error **err);
