#pragma once

/* Runs classic BPF as the kernel runs a seccomp filter (seccomp(2)): what it answers to one call.
 */

#include <linux/seccomp.h>

#include "emit/filter.h"

/* The action of one program. A program that the kernel would refuse fails the test. */
uint32_t bpf_run(const struct sock_fprog *program, const struct seccomp_data *data);

/* The action that counts of all programs of a filter: the strictest, and of equal ones the last
 * loaded, which filter_load() makes the first. */
uint32_t bpf_run_all(const struct filter *f, const struct seccomp_data *data);
