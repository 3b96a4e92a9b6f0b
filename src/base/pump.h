#pragma once

/*
 * Moves bytes from one descriptor to another in a loop, a small piece at a time and never blocking:
 * it reads only when the last piece is written, and writes only what poll(2) says there is room
 * for.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"

struct pump;

struct pump_events {
	/* Each piece, before it is written on. May be NULL. */
	void (*data)(void *user, const char *data, size_t size);
	/* The source ended or failed, or nobody reads the destination any more. May be NULL; may
	 * free the pump. */
	void (*ended)(void *user);
};

/* Borrows both descriptors. A negative `to` drops the bytes (after events->data has seen them). */
struct pump *pump_new(struct loop *loop, int from, int to, const struct pump_events *events,
		      void *user);

/* Moves what can be read right now, without waiting for more to come; with `wait`, for as long as
 * the reader takes. */
void pump_drain(struct pump *p, bool wait);

struct pump *pump_free(struct pump *p);
