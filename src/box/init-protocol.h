#pragma once

/*
 * What the supervisor and vitrine-init say to each other over the lifeline (descriptor
 * INIT_LIFELINE of the init). Each message starts with a u32 of enum init_message and the u32 id of
 * a command.
 *
 * A command is started in two steps, so that nothing runs unverified: the child confines itself
 * completely, says one byte on its barrier and waits. The supervisor reads its state from /proc
 * (the pid comes from the kernel with that byte, SCM_CREDENTIALS) and answers one byte: go. A
 * closed barrier means: do not.
 *
 * With INIT_SPAWN_WATCHED the byte carries the descriptor at which the filter asks (emit/filter.h);
 * the child has closed its own when it waits.
 *
 * The child keeps the barrier until it executes the program, so that its closing means: it runs, or
 * INIT_ENDED is on its way. If the program cannot be executed, a u32 errno value comes before that.
 */

enum {
	INIT_LIFELINE = 3,
};

#define INIT_PATH "/.vitrine/init" /* where the program lies inside every box */

enum init_message {
	/* init -> supervisor */
	INIT_READY,    /* once, id 0 */
	INIT_TERMINAL, /* descriptor 0: the master of the terminal that was asked for */
	INIT_ENDED,    /* u32 wait status */
	/* supervisor -> init */
	INIT_SPAWN,  /* u32 enum init_spawn_flags; descriptors in the order of enum init_spawn_fd */
	INIT_SIGNAL, /* u32 signal, for every process but the init; id 0 */
};

enum init_spawn_flags {
	INIT_SPAWN_TERMINAL = 1 << 0, /* make a pseudo-terminal; no stdio descriptors follow */
	INIT_SPAWN_WATCHED = 1 << 1,  /* the filter asks: at what the child sends with its byte */
};

enum init_spawn_fd {
	SPAWN_FD_SPEC,	 /* memory file, wire format: strv argv, strv env, string cwd, u32 rows, u32
			    columns */
	SPAWN_FD_FILTER, /* see emit/filter.h */
	SPAWN_FD_BARRIER,
	SPAWN_FD_STDIN,
	SPAWN_FD_STDOUT,
	SPAWN_FD_STDERR,
	SPAWN_FD_MAX,
};
