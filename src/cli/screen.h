#pragma once

/*
 * A terminal that a command fills again and again: the alternate screen, keys without echo, and all
 * of it given back on the way out. For a program that does nothing else meanwhile.
 */

#include <stdbool.h>
#include <termios.h>

#include "base/error.h"

enum screen_event {
	SCREEN_TIME, /* the time is over */
	SCREEN_DRAW, /* the window has another size, or was used for something else: draw again */
	SCREEN_QUIT, /* a key, the end of the keys, or a signal says so */
};

struct screen {
	int signals;	       /* signalfd(2) */
	bool keys;	       /* standard input is a terminal */
	struct termios before; /* of it */
	unsigned rows, columns;
	int signal; /* that said SCREEN_QUIT; 0: the user did */
};

/* Is standard output a terminal that can be drawn on? */
bool screen_is_there(void);

/* Takes the terminal; when it succeeds screen_end() must follow. */
int screen_start(struct screen *s, struct error **err);
void screen_end(struct screen *s);

/* Replaces what is shown. `text` is ASCII without control characters but '\n'; what does not fit
 * the window is left out. The first line is a heading. */
int screen_draw(const struct screen *s, const char *text, struct error **err);

int screen_wait(struct screen *s, unsigned milliseconds, enum screen_event *ret,
		struct error **err);
