#pragma once

/*
 * A running box, as its supervisor holds it: the monitor process that liblxc runs in, and the
 * lifeline to vitrine-init inside, over which every command in the box is started. Closing the
 * lifeline ends the box.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/loop.h"
#include "box/holder.h"
#include "plan/plan.h"

struct box;

/* A command in a box. All strings are borrowed for the call. */
struct box_command {
	char *const *argv; /* argv[0] is found in the PATH of env */
	char *const *env;  /* the whole environment */
	const char *cwd;   /* absolute, inside */
	int stdio[3];  /* negative: /dev/null; handed over as they are. Ignored with `terminal` */
	bool terminal; /* a pseudo-terminal of the box; its master comes with started() */
	unsigned rows, columns; /* of the terminal */
};

/* What becomes of a command. Called from the loop; `user` as given to box_spawn(). */
struct box_command_events {
	/* It runs (pid as the host sees it is not known, nor needed). `terminal_fd` is owned by the
	 * callee and -EBADF without a terminal. May be NULL, then the descriptor is closed. */
	void (*started)(void *user, int terminal_fd);
	/* It ended; status as of waitpid(2). A program that cannot be executed ends with exit
	 * status 127 (not found) or 126. Exactly once unless the box ends first. */
	void (*ended)(void *user, int status);
};

/* The box ended by itself: `why` is one line. Called once, from the loop, never after box_end(). */
typedef void box_lost_fn(void *user, const char *why);

/*
 * Starts a box and verifies from /proc that it is confined as planned; fails otherwise and leaves
 * nothing. `config` is the rendered LXC configuration, `filter_fd` the compiled seccomp programs
 * (emit/seccomp.h), borrowed. Blocks until the box is up (at most some seconds).
 */
int box_start(const struct box_plan *plan, const char *config, int filter_fd,
	      const struct holder *holder, int lock_fd, const char *sandbox_id, struct loop *loop,
	      box_lost_fn *lost, void *user, struct box **ret, struct error **err);

int box_spawn(struct box *b, const struct box_command *c, const struct box_command_events *events,
	      void *user, struct error **err);

/* Sends a signal to every process in the box but its init. */
int box_signal(struct box *b, int signal, struct error **err);

/* The host's pid of the box's init: names its namespaces in /proc. */
pid_t box_init_pid(const struct box *b);

/* Ends the box and waits until no process of it is left (kills after some time); frees. */
struct box *box_end(struct box *b);

static inline void box_endp(struct box **b)
{
	box_end(*b);
}
