#pragma once

/*
 * Between a supervisor and the gate of its sandbox, vitrine-gate: the FUSE server (fuse(4)) that
 * shows a box exactly the files that were given to it. Messages are in wire format and start with a
 * u32. The gate is not trusted with more than it was given: it never holds a directory that a given
 * file lies in, and never a path.
 */

#include <stdint.h>

/* Descriptors that vitrine-gate inherits. */
enum gate_fd {
	GATE_CONTROL = 3, /* socket: enum gate_message; the gate ends after it closes */
	GATE_KEEPER,	  /* socket: enum keeper_message; the gate asks, the supervisor answers */
	GATE_INBOX, /* socket: the monitor of the app box sends the open /dev/fuse and a clone, once
		     */
	GATE_FDS,
};

enum gate_message {
	/* from the supervisor */
	/* u32 uid, u32 gid: whose the user's own files are inside, as the holder numbers them.
	 * Once, after the grants that must be there when the box is made; then FUSE requests are
	 * served */
	GATE_SERVE,
	/* u32 grant, u32 kind, u32 writable, u32 limit (low), u32 limit (high), string place, strv
	 * masks; descriptor: the file, or the tree's directory; none for a file that is not there
	 * yet. Answered GRANTED or REFUSED */
	GATE_GRANT,
	/* u32 grant; descriptor: the file that has come to its name outside; none: nothing is there
	 * any more. Not answered */
	GATE_REPLACED,
	/* u32 grant. Answered REVOKED, when nothing of it can be read any more */
	GATE_REVOKE,
	/* from the gate */
	GATE_GRANTED, /* u32 grant */
	GATE_REFUSED, /* u32 grant, string why */
	GATE_REVOKED, /* u32 grant */
	GATE_OPENED, /* u32 grant, u32 writable, string path beneath a tree: first open of a file */
};

enum gate_kind {
	GATE_FILE, /* "files/NAME" or "files/N/NAME" */
	GATE_TREE, /* "files/NAME" or "files/N/NAME", or "trees/N" */
	GATE_KIND_MAX,
};

/*
 * A place is where a grant is seen beneath the root of the file system. What is at "files" is bound
 * into the box as one directory; each of "trees/N" as a directory of its own. Masks are paths
 * beneath a tree ("autostart", "share/applications"), or what these begin with ("zcompdump*"),
 * compared as base/fold.h does: they are not there, cannot be made, and no directory above them can
 * be renamed or removed.
 */
#define GATE_FILES "files"
#define GATE_TREES "trees"

enum keeper_message {
	/* u32 grant: a new, empty, nameless file (O_TMPFILE) where that file lies outside; 0: where
	 * any writable one does. Answered u32 errno, u32 temporary; descriptor, if errno is 0 */
	KEEPER_TEMPORARY,
	/* u32 grant, u32 temporary: the temporary file takes the name of the granted one, at once
	 * (rename(2)), with the mode of what was there; it is forgotten as a temporary. Answered
	 * u32 errno; descriptor: the file that has the name now */
	KEEPER_REPLACE,
	/* u32 temporary: it is not needed any more. Not answered */
	KEEPER_DROP,
};

/* No limit on new data. */
#define GATE_NO_LIMIT UINT64_C(0)

#define GATE_GRANTS_MAX	     1024U /* at a time */
#define GATE_TEMPORARIES_MAX 128U  /* at a time */
