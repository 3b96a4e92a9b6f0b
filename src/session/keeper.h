#pragma once

/*
 * The supervisor's half of saving a given file by rename(2), as editors do: the gate never holds
 * the directory that the file lies in, so the supervisor makes the temporary file there and puts it
 * in place (gate/protocol.h, enum keeper_message). It also watches these directories (inotify(7)):
 * when something else takes the name of a given file outside, the gate is told.
 */

#include "base/loop.h"
#include "session/given.h"

struct keeper;

/* Called from the loop, and by keeper_drain(), during which the keeper must not be freed.
 * `replaced` must not remove anything of it. */
struct keeper_events {
	/* Another file has the name now (fd owned by the callee), or none (-EBADF). */
	void (*replaced)(void *user, uint32_t grant, int fd);
	/* The gate broke the protocol: `why` is one line. It is not heard any more; that it ended
	 * is not said here. */
	void (*lost)(void *user, const char *why);
};

/* `socket` is the supervisor's end of GATE_KEEPER; taken over. */
int keeper_new(struct loop *loop, int socket, const struct keeper_events *events, void *user,
	       struct keeper **ret, struct error **err);

/* A file (not a tree) was given; `g` is borrowed until keeper_remove(). Where its directory cannot
 * be watched (it may not be read, or inotify's limits are reached) the gate is not told. */
int keeper_add(struct keeper *k, uint32_t grant, const struct given *g, bool writable,
	       struct error **err);
void keeper_remove(struct keeper *k, uint32_t grant);

/* Answers requests while the loop does not run any more, until `fd` is readable, at most
 * timeout_ms. */
void keeper_drain(struct keeper *k, int fd, int timeout_ms);

struct keeper *keeper_free(struct keeper *k);

static inline void keeper_freep(struct keeper **k)
{
	keeper_free(*k);
}
