#pragma once

/* The gate's state, and what its parts need of each other. One thread. */

#include "gate/node.h"
#include "gate/table.h"

#define SERVER_BUFFER	   (1U << 20)  /* as much as the kernel asks for at once */
#define SERVER_NODES_MAX   (2U << 20)  /* some hundred bytes each */
#define SERVER_LISTING_MAX (64U << 20) /* bytes of all open directories */
#define SERVER_DEVICES_MAX 16U

struct fuse_session;
struct saying;
struct stale;
struct private;

/* Where a directory was found just now (gate/path.h). */
struct way {
	uint64_t generation; /* of its node; 0: none */
	int fd;
};

#define WAY_NONE ((struct way){ .fd = -EBADF })

struct server {
	struct fuse_session *session; /* NULL: not yet */
	bool connected;		      /* the kernel said FUSE_INIT */
	int control, keeper;	      /* borrowed; gate/protocol.h */
	bool serving;		      /* GATE_SERVE came */
	bool ending;		      /* the supervisor is gone: nothing is opened any more */
	struct saying *sayings, **last_saying; /* answers that the control socket has no room for */
	unsigned unsaid;		       /* and what was dropped for that reason */
	uid_t uid, own_uid; /* shown inside for the user's own files; the user's own */
	gid_t gid, own_gid;
	struct grant *grants;
	struct node **chains; /* hash of (parent, name); a power of 2 */
	size_t n_chains, n_nodes;
	struct table nodes;	       /* struct node */
	struct table handles;	       /* struct handle */
	struct table listings;	       /* struct listing: open directories */
	size_t n_handles, handles_max; /* fewer than descriptors, so that grants can still come */
	size_t listing_size;
	uint64_t generation;
	struct private *privates; /* gate/private.h */
	unsigned n_privates;
	struct stale *stale; /* names that lead to something else now (gate/revoke.h) */
	unsigned n_stale;
	pid_t notifier;	   /* -1, or the child that tells what was revoked (gate/revoke.h) */
	int notifier_fd;   /* pidfd of it */
	int notifier_fuse; /* what it writes to: a clone of /dev/fuse (FUSE_DEV_IOC_CLONE) */
	struct {
		const struct node *of; /* NULL: nothing */
		struct stat st;
	} seen; /* by what was called last of its kind */
	struct way ways[2], *last_way;
	int root;	       /* "/", which is empty: where this process is */
	int watch_fd;	       /* inotify(7); -EBADF: there is none */
	struct node **watches; /* by its numbers */
	size_t n_watches, n_watched;
	dev_t devices[SERVER_DEVICES_MAX]; /* that given files lie on */
	size_t n_devices;
	char *buffer; /* SERVER_BUFFER */
};

struct server *server_new(int control, int keeper);
struct server *server_free(struct server *s);

/* Makes s->session, which is not connected with a kernel yet. -ENOMEM, -EINVAL. */
int server_start(struct server *s);

/* One message of the supervisor (gate/protocol.h). -EPROTO: it is broken, and so is the gate. */
struct message;
int server_hear(struct server *s, struct message *m);

/* Tells the supervisor, never blocking: an answer is kept until there is room, a line for the log
 * is dropped. */
void server_say(struct server *s, const void *data, size_t size, bool is_answer);
void server_say_kept(struct server *s);	   /* there is room again */
void server_say_nothing(struct server *s); /* what was kept is dropped */
void server_answer(struct server *s, uint32_t message, uint32_t grant, const char *why);

/* Once for each node, and once more when it is opened for writing. */
void server_say_opened(struct server *s, struct node *n, bool writable);

struct grant *grant_find(struct server *s, uint32_t id); /* or NULL */
struct grant *grant_at(struct server *s, const char *place);
/* Frees it once it is revoked and nothing refers to it. */
void grant_release(struct server *s, struct grant *g);

struct node *node_root(struct server *s); /* makes it: number 1 */

/* Descriptor of the file with this name in the directory of the gate's own: gate/kind-files.c.
 * Called when a grant beneath "files" begins, is replaced outside, or ends (revoked is set). */
int files_grant(struct server *s, struct grant *g);
void files_replaced(struct server *s, struct grant *g, int fd); /* takes fd over */
void files_revoke(struct server *s, struct grant *g);

/* gate/keeper-client.c: asks the supervisor and waits. 0 or -errno. */
int keeper_temporary(struct server *s, uint32_t grant, uint32_t *ret_id, int *ret_fd);
int keeper_replace(struct server *s, uint32_t grant, uint32_t id, int *ret_fd);
void keeper_drop(struct server *s, uint32_t id);
