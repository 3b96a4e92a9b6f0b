#pragma once

/*
 * The process vitrine-gate and the way to it (GATE_CONTROL). Knows nothing of what is given: whole
 * messages go out and come in. Nothing here ever waits for the gate, which may itself wait for a
 * slow disk, or be hostile: what it does not take at once is sent when it does.
 */

#include <sys/types.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/wire.h"

struct gate_process;

struct gate_process_events {
	/* One message. False: it is broken, and so is the gate; then lost() follows. */
	bool (*heard)(void *user, uint32_t type, struct wire *rest);
	/* It ended, or broke the protocol: `why` is one line. Called once, from the loop. */
	void (*lost)(void *user, const char *why);
};

/* Our end of GATE_KEEPER is the caller's; so is that of GATE_INBOX. */
int gate_process_start(struct loop *loop, const struct gate_process_events *events, void *user,
		       int *ret_keeper, int *ret_inbox, struct gate_process **ret,
		       struct error **err);

/* `fd` is borrowed; negative: there is none. */
int gate_process_send(struct gate_process *p, const struct buf *m, int fd, struct error **err);

/* It is of no use any more: lost() with this reason. */
void gate_process_lose(struct gate_process *p, const char *why);

/* Closes its control socket, which tells it to end, and lets the loop forget it. */
void gate_process_close(struct gate_process *p);

pid_t gate_process_pid(const struct gate_process *p);

/* Readable once it has ended. Borrowed. */
int gate_process_pidfd(const struct gate_process *p);

/* Kills it, unless it has ended. */
struct gate_process *gate_process_free(struct gate_process *p);

static inline void gate_process_freep(struct gate_process **p)
{
	gate_process_free(*p);
}
