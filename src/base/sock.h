#pragma once

/*
 * Unix sockets with whole messages (SOCK_SEQPACKET) that may carry descriptors (unix(7),
 * SCM_RIGHTS). Every descriptor is close-on-exec at birth. Paths are named by a directory
 * descriptor, so that their length does not matter and no component can be swapped.
 */

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

#define SOCK_MESSAGE_MAX (64U << 10)
#define SOCK_FDS_MAX	 8U

struct message {
	size_t size; /* 0: the other end closed */
	size_t n_fds;
	int fds[SOCK_FDS_MAX]; /* owned; close with message_close_fds() or take with TAKE_FD() */
	char data[SOCK_MESSAGE_MAX];
};

int sock_pair(int ret_pair[2], struct error **err);
int sock_listen(int dirfd, const char *name, int *ret_fd, struct error **err);

/* -ENOENT and -ECONNREFUSED mean that nobody listens. */
int sock_connect(int dirfd, const char *name, int *ret_fd, struct error **err);

/* Accepts one connection and refuses (-EPERM) a peer of another user than `uid` (SO_PEERCRED; the
 * number is the one in this process's user namespace). */
int sock_accept(int fd, uid_t uid, int *ret_fd, struct error **err);

int sock_send(int fd, const void *data, size_t size, const int *fds, size_t n_fds,
	      struct error **err);

/* Waits for one message. A truncated one is -EMSGSIZE and leaves no descriptor open. */
int sock_receive(int fd, struct message *ret, struct error **err);

void message_close_fds(struct message *m);

/* Messages that arrive at fd from now on carry the pid of their sender, as the kernel knows it here
 * (unix(7), SO_PASSCRED), or no longer do. */
int sock_pass_credentials(int fd, bool on, struct error **err);

/* Takes one such message and only tells who sent it. -EPIPE when the other end closed. Descriptors
 * are refused. */
int sock_receive_pid(int fd, pid_t *ret, struct error **err);

/* The same with exactly one descriptor. */
int sock_receive_pid_fd(int fd, pid_t *ret, int *ret_fd, struct error **err);
