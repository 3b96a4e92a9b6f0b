#pragma once

/*
 * Waiting that always ends: at a deadline, or when a signal came. While somebody waits, what a
 * child prints is read, so that it never stands still because nobody does.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/spawn.h"

#define HEARD_MAX      (1U << 20) /* of what was printed first */
#define HEARD_TAIL_MAX 16384U	  /* of what was printed last */

struct heard {
	int fd; /* owned; negative: nothing (more) comes */
	struct buf head, tail;
};

struct patience {
	int signals;	   /* a signalfd(2); negative: nothing interrupts. Borrowed */
	uint64_t deadline; /* of now_ms() */
	struct heard *heard;
	size_t n_heard;
};

/* Waits `ms`, or less if `fd` (may be negative) can be read before; then returns 1. -EINTR after a
 * signal, which stays to be read; -ETIMEDOUT at the deadline. */
int patience_wait(const struct patience *p, int fd, uint32_t ms, struct error **err);

/* As spawn_collect(), but for at most `ms`, after which the program is killed: -ETIMEDOUT. Standard
 * error goes with the output unless `quiet`. `enough`: it is ended when it has printed `limit`
 * bytes, and that is no error; *ret_status is 0 then. */
struct collect {
	const struct spawn *spawn;
	size_t limit;
	uint32_t ms;
	bool enough;
};
int patience_collect(const struct patience *p, const struct collect *c, struct buf *ret_output,
		     int *ret_status, struct error **err);

void heard_release(struct heard *h);
