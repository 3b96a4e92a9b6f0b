#pragma once

/*
 * What the kernel tells about the use of processor, memory and network, out of the text of its
 * files. Pure: no file is opened here. Each returns 0, or -EINVAL where the text is not what the
 * kernel writes; results are set on success only. A sum that does not fit is as large as can be.
 */

#include <stdint.h>
#include <sys/types.h>

/* One process, from /proc/PID/stat (proc_pid_stat(5)). */
struct process {
	pid_t pid, parent;
	uint64_t ticks; /* of processor time, with that of the children that it has waited for */
	uint64_t threads;
};

/* The name of the program may have any byte in it, so what counts comes after the last ")". */
int usage_parse_stat(const char *text, struct process *ret);

/* /proc/PID/statm: pages that are resident and of no file, and no memory that is shared. */
int usage_parse_statm(const char *text, uint64_t *ret_pages);

/* /proc/PID/net/dev: bytes of all devices but the loopback. */
int usage_parse_net(const char *text, uint64_t *ret_received, uint64_t *ret_sent);

/* A file of a cgroup that has one number (memory.current, pids.current); "max" is no limit:
 * USAGE_UNKNOWN. See Documentation/admin-guide/cgroup-v2.rst, "Interface Files". */
#define USAGE_UNKNOWN UINT64_MAX
int usage_parse_single(const char *text, uint64_t *ret);

/* The number of `key` in lines "KEY NUMBER" (cpu.stat). */
int usage_parse_flat(const char *text, const char *key, uint64_t *ret);

/* The sum of the numbers of `key` in lines "DEVICE KEY=NUMBER..." (io.stat). */
int usage_parse_nested(const char *text, const char *key, uint64_t *ret);

/* A number of bytes in at most five characters: "0", "999K", "1.5G". Owned by the caller. */
char *usage_show_bytes(uint64_t bytes);
