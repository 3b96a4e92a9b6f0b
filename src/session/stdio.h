#pragma once

/*
 * Standard input, output and error of a command in a box. No descriptor of the caller goes inside:
 * with a terminal on both sides the command gets a pseudo-terminal of the box, else three pipes,
 * and what moves between is copied out here.
 */

#include <stdbool.h>

#include "base/error.h"
#include "base/loop.h"

struct stdio;

/* Sees every byte of output, for the log. */
typedef void stdio_output_fn(void *user, const char *data, size_t size);

struct stdio_ends {
	int fds[3];    /* for the command, to be closed after they were handed over; negative with a
			  terminal */
	bool terminal; /* ask for one */
	unsigned rows, columns; /* its size */
};

/* Descriptors 0, 1 and 2 of this process (with `detached`: nothing) and the command's ends in
 * *ret_ends. */
int stdio_new(struct loop *loop, bool detached, stdio_output_fn *output, void *user,
	      struct stdio_ends *ret_ends, struct stdio **ret, struct error **err);

/* The command has its terminal now; takes the master over. */
void stdio_terminal(struct stdio *s, int master);

/* The window changed: pass its size on. */
void stdio_resize(struct stdio *s);

/* Copies what is still there (with `wait`: all of it, however slow the reader is), restores the
 * terminal, frees. */
struct stdio *stdio_end(struct stdio *s, bool wait);

void stdio_ends_release(struct stdio_ends *e);
