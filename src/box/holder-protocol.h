#pragma once

/*
 * Between a sandbox's supervisor and vitrine-holder. Request (wire): string id, u32 size in MiB,
 * u32 inodes. Answer: string error ("" when done), with the descriptors in this order.
 */

enum holder_fd {
	HOLDER_FD_USER,
	HOLDER_FD_MOUNT,
	HOLDER_FD_NET,
	HOLDER_FD_TREE,
	HOLDER_FD_MAX,
};

/* Descriptors that vitrine-holder inherits. */
enum {
	/* a seqpacket pair: 'u' = namespaces made, back 'm' = ids mapped, 'r' = ready; or why not
	 */
	HOLDER_STARTER = 3,
	HOLDER_RUNTIME_DIR, /* where it listens, as HOLDER_SOCKET */
	HOLDER_INHERITED_END,
};

#define HOLDER_SOCKET "holder"

/* Ids of the holder's user namespace: 0 to HOLDER_IDS-1 are the user's subordinate ids, HOLDER_IDS
 * is the user. */
#define HOLDER_IDS 65536U
