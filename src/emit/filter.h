#pragma once

/*
 * Compiled seccomp programs in a file: u32 number of programs, then for each u32 flags, u32 number
 * of instructions and that many struct sock_filter, in the byte order of this machine. Made by
 * vitrine-filter, loaded by vitrine-init; so nothing here may need libseccomp or memory.
 */

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

#define FILTER_PROGRAMS_MAX 4U
#define FILTER_FILE_MAX	    (1U << 20)
#define FILTER_LOG	    1U /* what a program denies leaves a line in the kernel's log */

struct filter {
	uint32_t n;
	uint32_t flags[FILTER_PROGRAMS_MAX];
	struct sock_fprog programs[FILTER_PROGRAMS_MAX]; /* point into the file's bytes */
};

/* Reads the bytes of a whole file. Empty programs, unknown flags and leftovers are refused:
 * -EINVAL. */
int filter_parse(const void *data, size_t size, struct filter *ret);

/* Number of programs in an open file, or -errno. */
int filter_count(int fd);

/* Puts this process under every program of the file, for ever; it must have no_new_privs. 0 or
 * -errno; after an error some may already be in force. */
int filter_load(int fd);

/* The same for a file with one program, which is asked what becomes of the calls that it does not
 * decide (seccomp_unotify(2)). Returns the descriptor to be asked at, or -errno. */
int filter_load_watched(int fd);
