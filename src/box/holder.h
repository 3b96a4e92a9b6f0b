#pragma once

/*
 * The user's session namespaces (user, mount, network), pinned by vitrine-holder. A connection to
 * it is one sandbox: it comes with a tmpfs of the sandbox's own, which goes when the connection
 * closes; the holder ends with the last connection.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct holder {
	int connection; /* all owned */
	int user_ns, mount_ns, net_ns;
	int tree; /* O_PATH: the sandbox's tmpfs; from outside reach shared/NAME beneath it */
};

#define HOLDER_NONE                             \
	((struct holder){ .connection = -EBADF, \
			  .user_ns = -EBADF,    \
			  .mount_ns = -EBADF,   \
			  .net_ns = -EBADF,     \
			  .tree = -EBADF })

/* Where the holder keeps the tmpfs of sandbox ID: HOLDER_TREES/ID; only in its mount namespace. */
#define HOLDER_TREES "/run/vitrine"

/* Told of the process of a holder that this call has started: it serves others too, and outlives
 * the caller. */
typedef void holder_started_fn(void *user, pid_t pid);

/*
 * Connects to the holder of this user, starting it first if there is none (newuidmap(1) and
 * newgidmap(1) run then). `runtime_dir` is an open $XDG_RUNTIME_DIR/vitrine,
 * `lock_fd` comes from lock_open().
 */
int holder_connect(int runtime_dir, int lock_fd, const char *sandbox_id, uint64_t size,
		   uint32_t inodes, holder_started_fn *started, void *user, struct holder *ret,
		   struct error **err);

void holder_release(struct holder *h);
