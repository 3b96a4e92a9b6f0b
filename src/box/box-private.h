#pragma once

/* What the files of a running box share. Not for others. */

#include <stdbool.h>

#include "base/sock.h"
#include "base/spawn.h"
#include "box/box.h"
#include "box/verify.h"

struct command;

struct box {
	enum box_kind kind;
	struct loop *loop;
	box_lost_fn *lost; /* NULL once it was said */
	void *user;

	struct child monitor;
	int reason; /* read end of the monitor's stderr */
	int orders; /* the monitor's inbox; it waits as long as this is open */
	int lifeline;
	int init_pidfd;
	pid_t init_pid;
	struct source *lifeline_source, *monitor_source;

	int filter; /* borrowed */
	struct confinement confinement;
	char *label;   /* AppArmor's, of every process; NULL: this kernel has none */
	char *user_ns; /* name of the init's user namespace: "user:[N]" */
	struct command *commands;
	uint32_t last_id;
	struct message inbox;
};

/* box.c */

/* The box is of no use any more: says so, once. */
void box_lose(struct box *b, const char *what);

/* box-verify.c */

/* Is the box confined as planned, and its init? Learns what every process of it must be like. */
int box_verify(struct box *b, const struct box_plan *plan, struct error **err);

/* Is this process of the box, under that many filters? */
int box_verify_process(struct box *b, pid_t pid, uint32_t filters, struct error **err);

/* box-command.c */

/* Messages of the init about a command, from b->inbox. */
void box_command_terminal(struct box *b, uint32_t id);
void box_command_ended(struct box *b, uint32_t id, int status);

/* Forgets all of them; nobody is told. */
void box_forget_commands(struct box *b);
