#pragma once

/*
 * The control socket of a sandbox: commands of its user to its supervisor. Messages are in wire
 * format and start with a u32 of enum control_message.
 */

#include "base/strv.h"
#include "base/wire.h"

#define CONTROL_SOCKET "control"

enum control_message {
	/* to the supervisor */
	CONTROL_STOP, /* answered OK; the connection closes when nothing is left */
	/* u32 terminal, u32 rows, u32 columns; descriptors: a memory file with the strv of the
	 * words, and without terminal standard input, output and error */
	CONTROL_ENTER,
	CONTROL_ATTACH, /* show the windows again */
	CONTROL_DETACH, /* hide them, keep the application */
	CONTROL_REQUEST_MAX,
	/* from the supervisor */
	CONTROL_OK = 64,
	CONTROL_ERROR,	  /* string */
	CONTROL_TERMINAL, /* descriptor: the terminal that was asked for */
	CONTROL_ENDED,	  /* u32 wait status */
};
