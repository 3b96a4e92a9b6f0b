#pragma once

/*
 * What import and save have in common: bytes that go from one place to another, for long enough
 * that somebody wants to see how far it is, or to end it.
 */

#include <signal.h>
#include <stdint.h>

#include "base/error.h"

#define TRANSFER_PIECE (256U << 10)

struct transfer_progress {
	const char *doing; /* "reading", "layer" */
	unsigned part;	   /* of `parts`, from 1; 0: there are none */
	unsigned parts;
	uint64_t done;	/* bytes */
	uint64_t total; /* 0: not known */
};

/* `p` is borrowed for the call. */
typedef void transfer_fn(void *user, const struct transfer_progress *p);

struct transfer {
	transfer_fn *show; /* may be NULL */
	void *user;
	struct transfer_progress now;
	uint64_t shown_ms;
};

/* Begins another part. */
void transfer_begin(struct transfer *t, const char *doing, unsigned part, unsigned parts,
		    uint64_t total);

/* -EINTR: the user wants it to end. */
int transfer_add(struct transfer *t, uint64_t bytes, struct error **err);

/* Between these SIGHUP, SIGINT and SIGTERM are transfer_add()'s, and a reader that has gone is an
 * error of write(2). */
struct interrupts {
	sigset_t before;
};

void interrupts_begin(struct interrupts *i);
void interrupts_end(struct interrupts *i);
