#pragma once

/*
 * One thread, one poll(2). A source is a descriptor with a callback; a timer is a timerfd and a
 * child a pidfd, so that everything is a descriptor and an idle program sleeps in the kernel.
 * Callbacks may add and remove any source, their own included.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct loop;
struct source;

/* `revents` as in poll(2). The descriptor stays the caller's. */
typedef void source_fn(void *user, short revents);

struct loop *loop_new(void);
struct loop *loop_free(struct loop *l);

struct source *loop_add(struct loop *l, int fd, short events, source_fn *fn, void *user);
void source_set_events(struct source *s, short events);
struct source *source_remove(struct source *s); /* NULL is fine; returns NULL */

/* Runs callbacks until *done is true (checked after each round) or `timeout_ms` (-1: never) is
 * over. Returns 1 when done, 0 on time-out, -errno when poll itself fails. */
int loop_run(struct loop *l, const bool *done, int timeout_ms, struct error **err);

/* Makes every loop_run(), running or to come, fail with -ECANCELED: whatever is waited for is off.
 */
void loop_cancel(struct loop *l);

/* It can run again. */
void loop_resume(struct loop *l);

/* Milliseconds of CLOCK_MONOTONIC, for deadlines and timings. */
uint64_t now_ms(void);
uint64_t now_us(void);

static inline void loop_freep(struct loop **l)
{
	loop_free(*l);
}
