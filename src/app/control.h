#pragma once

/*
 * The control socket of a sandbox: commands of its user to its supervisor. Messages are in wire
 * format and start with a u32 of enum control_message.
 */

#include "base/strv.h"
#include "base/wire.h"
#include "session/gate.h"

#define CONTROL_SOCKET "control"

/* How something is to be given. */
struct control_wish {
	enum gate_access access;
	bool at_least;	/* if it is given already, with this access or more, it stays so */
	uint64_t limit; /* of new data in a tree; GATE_NO_LIMIT: none */
};

enum control_message {
	/* to the supervisor */
	CONTROL_STOP, /* answered OK; the connection closes when nothing is left */
	/* u32 terminal, u32 rows, u32 columns; descriptors: a memory file with the strv of the
	 * words, and without terminal standard input, output and error */
	CONTROL_ENTER,
	CONTROL_ATTACH, /* show the windows again */
	CONTROL_DETACH, /* hide them, keep the application */
	/* u32 enum gate_access, u32 at least, u32 limit (low), u32 limit (high), u32 new, string
	 * name; descriptors: O_PATH of the directory that it lies in, and of itself unless it is
	 * new. Answered SHARED */
	CONTROL_SHARE,
	/* strv: what was typed, at the end, and before it what that may mean, outside or inside;
	 * the first of them that was given is taken away. Answered OK when nothing of it can be
	 * reached any more */
	CONTROL_UNSHARE,
	/* u32 also temporary files; descriptor: where the changes are written (box/walk.h).
	 * Answered WALKED */
	CONTROL_CHANGES,
	/* u32 links, u32 bytes (low), u32 bytes (high); descriptors: a memory file with two strv,
	 * paths inside and names in the archive, and where the tar is written. Answered WALKED */
	CONTROL_ARCHIVE,
	CONTROL_REQUEST_MAX,
	/* from the supervisor */
	CONTROL_OK = 64,
	CONTROL_ERROR,	  /* string */
	CONTROL_TERMINAL, /* descriptor: the terminal that was asked for */
	CONTROL_ENDED,	  /* u32 wait status */
	CONTROL_SHARED,	  /* string: its path inside */
	CONTROL_WALKED,	  /* string: what was left out, in lines */
};
