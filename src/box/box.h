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
	bool terminal; /* a pseudo-terminal of the box; its master comes with terminal() */
	unsigned rows, columns; /* of the terminal */
	bool watched; /* under this filter and not the box's: with a single program, that asks
			 (emit/watch.h). There must be a listener() */
	int filter;
};

/* What becomes of a command, in this order. Called from the loop; `user` as given to box_spawn().
 * Any may be NULL. */
struct box_command_events {
	/* It is verified, and asks at this descriptor from now on; owned by the callee. Only then
	 * it goes on. */
	void (*listener)(void *user, int fd);
	/* Its terminal, if it asked for one: owned by the callee. */
	void (*terminal)(void *user, int fd);
	/* Its program was executed (the pid as the host sees it is not known, nor needed)... */
	void (*started)(void *user);
	/* ... or cannot be: an errno value. It has said so on its standard error. */
	void (*failed)(void *user, int error);
	/* It ended; status as of waitpid(2). A program that cannot be executed ends with exit
	 * status 127 (not found) or 126. Exactly once unless the box ends first. */
	void (*ended)(void *user, int status);
};

/* The box ended by itself: `why` is one line. Called once, from the loop, never after box_end(). */
typedef void box_lost_fn(void *user, const char *why);

/* The first of three steps of a start: runs a monitor, which loads liblxc while the caller finds
 * out what is to be started. */
int box_new(enum box_kind kind, struct loop *loop, box_lost_fn *lost, void *user, struct box **ret,
	    struct error **err);

/* What a box is started with. All borrowed; the filter until box_end(). */
struct box_start {
	const struct box_plan *plan;
	const char *config; /* rendered LXC configuration */
	const char *label;  /* AppArmor's (box/label.h); NULL: this kernel has none */
	const void *policy; /* compiled profile that is part of the label, of the user's own */
	size_t policy_size; /* 0: there is none */
	int filter;	    /* compiled seccomp programs (emit/filter.h) */
	const struct holder *holder;
	int lock; /* of the slices: box/lock.h */
	int gate; /* the socket that the open /dev/fuse is sent to (GATE_INBOX); negative: none */
	const char *sandbox_id;
};

/* The second step: hands the job over. The monitor prepares the tree and starts the container. */
int box_begin(struct box *b, const struct box_start *start, struct error **err);

/* The third step: waits (some seconds at most) until the box is up, and verifies from /proc that it
 * is confined as planned. After an error of any step only box_end() is left to call. */
int box_await(struct box *b, const struct box_plan *plan, struct error **err);

int box_spawn(struct box *b, const struct box_command *c, const struct box_command_events *events,
	      void *user, struct error **err);

/* Sends a signal to every process in the box but its init. */
int box_signal(struct box *b, int signal, struct error **err);

/* The host's pid of the box's init: names its namespaces in /proc. */
pid_t box_init_pid(const struct box *b);

/* The process in which liblxc runs. What it starts begins in the control group that it is in, when
 * its job comes, and sees that one as the root. */
pid_t box_monitor_pid(const struct box *b);

/* Has it ended, although nobody may have been told yet? */
bool box_is_gone(const struct box *b);

/* Begins to end it: its processes are killed. What they still wait for, somebody may have to answer
 * before box_end() finds them gone. Returns a descriptor that is readable when they are; borrowed,
 * negative where there is none. */
int box_close(struct box *b);

/* Ends the box and waits until no process of it is left (kills after some time); frees. */
struct box *box_end(struct box *b);

static inline void box_endp(struct box **b)
{
	box_end(*b);
}
