#pragma once

/*
 * The gate of a sandbox as its supervisor holds it: vitrine-gate, a process outside with the user's
 * rights, which shows the app box exactly the files that are given here. See gate/protocol.h.
 */

#include <sys/types.h>

#include "base/loop.h"
#include "gate/protocol.h"
#include "session/given.h"

struct gate;

enum gate_access {
	GATE_READ_ONLY,
	GATE_READ_WRITE,
	GATE_ACCESS_MAX,
};

const char *gate_access_to_string(enum gate_access access); /* "read-only", "read-write" */

/* Something given, as `ps` and `vitrine share` print it. Strings may have any bytes. */
struct gate_entry {
	uint32_t id;
	char *path;  /* outside */
	char *place; /* beneath the root of the file system: "files/a.pdf", "trees/0" */
	enum gate_access access;
	bool directory;
	uint64_t limit; /* of new data; 0: none */
};

struct gate_events {
	/* It ended by itself, or broke its protocol: `why` is one line. Called once. */
	void (*lost)(void *user, const char *why);
	/* One line for the log of the sandbox: what was given, opened first, taken away. */
	void (*said)(void *user, const char *line);
	/* The list of entries is another one. */
	void (*changed)(void *user);
};

/* Starts the process, which loads its library while the caller goes on. `home` is the user's, for
 * what must be masked in a tree; borrowed. */
int gate_new(struct loop *loop, const char *home, const struct gate_events *events, void *user,
	     struct gate **ret, struct error **err);

/* 0 once it has ended. */
pid_t gate_pid(const struct gate *g);

/* The socket that the monitor of the app box sends the open /dev/fuse to (MONITOR_GATE). Borrowed;
 * closed by gate_serve(). */
int gate_inbox(const struct gate *g);

/* The result of gate_give() or gate_take(): NULL, or why not. `entry` is NULL after an error.
 * Called once: from the loop, from a later call of these, or from gate_end() (ESHUTDOWN), where it
 * must not call these again. Never called if the call itself has failed. */
typedef void gate_done_fn(void *user, const struct gate_entry *entry, const struct error *error);

/* Gives a file or a tree (taken over, also on error). `place` may be NULL: then a free one beneath
 * "files" with the same name. Given before: the same place, whatever `place` says, and the access
 * that is asked for now; where that is another one, what is open fails, as after gate_take().
 * `done` may be NULL: then a refusal is only said. ret_place may be NULL; owned by the caller. */
int gate_give(struct gate *g, struct given *given, const char *place, enum gate_access access,
	      uint64_t limit, gate_done_fn *done, void *user, char **ret_place, struct error **err);

/* Was something given with this path (outside, real), or will be when it is answered? */
bool gate_has(const struct gate *g, const char *path);

/* Takes away what was given with this path. When done, nothing of it can be read any more, also not
 * through descriptors and mappings that are open. -ENOENT: nothing such was given. */
int gate_take(struct gate *g, const char *path, gate_done_fn *done, void *user, struct error **err);

/* What the user's own files belong to inside, as the holder numbers it. Everything that must be
 * there when the box is made has been given. */
int gate_serve(struct gate *g, uint32_t uid, uint32_t gid, struct error **err);

/* What can be reached inside now. Borrowed, until the loop runs; ends with an entry whose path is
 * NULL. */
const struct gate_entry *gate_entries(const struct gate *g);

/* While the loop does not run any more: answers what the gate needs for the last saves of a box
 * that ends, until `pidfd` is readable, at most timeout_ms. Without that a process in the box may
 * wait for its save, the gate for its supervisor, and whoever ends the box for that process. */
void gate_drain(struct gate *g, int pidfd, int timeout_ms);

/* After the app box has ended, so that what it wrote has come through. Ends the process; what the
 * user has outside is as the last save left it. */
struct gate *gate_end(struct gate *g);

static inline void gate_endp(struct gate **g)
{
	gate_end(*g);
}

/* --- gate-places.c, pure ---------------------------------------------------------------------- */

/* A place beneath "files" for a file or tree of this name that is not in `taken`
 * (NULL-terminated): "files/NAME", or "files/2/NAME", "files/3/NAME", ... Owned by the caller. A
 * name that is itself a number of digits only never takes "files/N" directly. */
char *gate_place(const char *name, char *const *taken);

/* The path inside of a place beneath "files": HOME/Files/... Owned by the caller. */
char *gate_path_inside(const char *home, const char *place);
