#pragma once

/*
 * A program that runs as long as the display does, in a box or on the host, and whose output is
 * read line by line. What it says may be hostile: lines have a limit, and a reason shown to the
 * user is escaped.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "base/loop.h"
#include "base/spawn.h"
#include "box/box.h"

#define PROGRAM_LINE_MAX 512U /* what is longer is cut */

/* One line of output, without its end. */
typedef void program_line_fn(void *user, const char *line);

/* It ended; `why` is one line with its status and the last it said. */
typedef void program_ended_fn(void *user, const char *why);

struct program {
	const char *name;
	struct loop *loop;
	program_line_fn *line; /* may be NULL */
	program_ended_fn *ended;
	void *user;

	bool running;
	struct child child; /* CHILD_NONE in a box */
	struct source *child_source;
	int output; /* read end */
	struct source *output_source;
	char text[PROGRAM_LINE_MAX]; /* the line that is being read */
	size_t used;
	char last[PROGRAM_LINE_MAX]; /* the last whole line that was not empty */
};

/* `name` is for messages and borrowed. */
void program_init(struct program *p, const char *name, struct loop *loop, program_line_fn *line,
		  program_ended_fn *ended, void *user);

/* `input` becomes its standard input; it is borrowed, and negative for /dev/null. */
int program_start(struct program *p, struct box *b, char *const *argv, char *const *env,
		  const char *cwd, int input, struct error **err);

/* The same on the host; `extra` becomes descriptor 3. It is killed by program_release(). */
int program_start_on_host(struct program *p, char *const *argv, char *const *env, int input,
			  int extra, struct error **err);

/* Kills a program of the host; ended() is still to come. */
void program_kill_on_host(struct program *p);

void program_release(struct program *p);
