#include "base/sock.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

int sock_pair(int ret_pair[2], struct error **err)
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_pair) < 0)
		return error_errno(err, "cannot make a socket pair");
	return 0;
}

static int address(int dirfd, const char *name, struct sockaddr_un *ret, struct error **err)
{
	int n;

	*ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", dirfd, name);
	if (n < 0 || (size_t)n >= sizeof ret->sun_path)
		return error_set(err, ENAMETOOLONG, "socket name '%s' is too long", name);
	return 0;
}

static int unix_socket(int *ret_fd, struct error **err)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return error_errno(err, "cannot make a socket");
	*ret_fd = fd;
	return 0;
}

int sock_listen(int dirfd, const char *name, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	struct sockaddr_un a;
	int r;

	r = address(dirfd, name, &a, err);
	if (r < 0)
		return r;
	r = unix_socket(&fd, err);
	if (r < 0)
		return r;
	/* The directory is 0700; the mode of the socket itself only has to let its owner in. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 ||
	    listen(fd, 64) < 0)
		return error_errno(err, "cannot listen on '%s'", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sock_connect(int dirfd, const char *name, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	struct sockaddr_un a;
	int r;

	r = address(dirfd, name, &a, err);
	if (r < 0)
		return r;
	r = unix_socket(&fd, err);
	if (r < 0)
		return r;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0)
		return error_errno(err, "cannot connect to '%s'", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int sock_accept(int fd, uid_t uid, int *ret_fd, struct error **err)
{
	_cleanup_close_ int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	struct ucred cred;
	socklen_t size = sizeof cred;

	if (peer < 0)
		return error_errno(err, "cannot accept a connection");
	if (getsockopt(peer, SOL_SOCKET, SO_PEERCRED, &cred, &size) < 0)
		return error_errno(err, "cannot ask who connects");
	if (cred.uid != uid)
		return error_set(err, EPERM, "refused a connection of user %u", cred.uid);
	*ret_fd = TAKE_FD(peer);
	return 0;
}

int sock_send(int fd, const void *data, size_t size, const int *fds, size_t n_fds,
	      struct error **err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (n_fds > SOCK_FDS_MAX || size > SOCK_MESSAGE_MAX)
		return error_set(err, EMSGSIZE, "message too large");
	if (n_fds) {
		struct cmsghdr *c;

		m.msg_control = control.room;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n_fds * sizeof(int));
	}
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "cannot send a message");
	return 0;
}

int sock_receive(int fd, struct message *ret, struct error **err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(SOCK_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec iov = { .iov_base = ret->data, .iov_len = sizeof ret->data };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.room,
		.msg_controllen = sizeof control.room,
	};
	ssize_t n;

	ret->size = ret->n_fds = 0;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return error_errno(err, "cannot receive a message");

	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		ret->n_fds = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		memcpy(ret->fds, CMSG_DATA(c), ret->n_fds * sizeof(int));
	}
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		message_close_fds(ret);
		return error_set(err, EMSGSIZE, "received a truncated message");
	}
	ret->size = (size_t)n;
	return 0;
}

void message_close_fds(struct message *m)
{
	for (size_t i = 0; i < m->n_fds; i++)
		m->fds[i] = close_fd(m->fds[i]);
	m->n_fds = 0;
}

static int receive_pid(int fd, pid_t *ret, int *ret_fd, size_t *ret_fds, struct error **err)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char bytes[64];
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof bytes };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = control.room,
			    .msg_controllen = sizeof control.room };
	bool known = false;
	ssize_t n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);

	if (n < 0)
		return error_errno(err, "cannot receive a message");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		if (c->cmsg_level != SOL_SOCKET)
			continue;
		if (c->cmsg_type == SCM_CREDENTIALS) {
			*ret = ((struct ucred *)CMSG_DATA(c))->pid;
			known = true;
		} else if (c->cmsg_type == SCM_RIGHTS) {
			memcpy(ret_fd, CMSG_DATA(c), sizeof *ret_fd);
			*ret_fds = 1;
		}
	}
	if (n == 0)
		return error_set(err, EPIPE, "the other end closed");
	if (!known || m.msg_flags & MSG_CTRUNC)
		return error_set(err, EPROTO, "a message does not say who sent it");
	return 0;
}

int sock_receive_pid(int fd, pid_t *ret, struct error **err)
{
	_cleanup_close_ int unwanted = -EBADF;
	size_t fds = 0;
	int r = receive_pid(fd, ret, &unwanted, &fds, err);

	if (r >= 0 && fds)
		return error_set(err, EPROTO, "a message carries a descriptor");
	return r;
}

int sock_receive_pid_fd(int fd, pid_t *ret, int *ret_fd, struct error **err)
{
	_cleanup_close_ int sent = -EBADF;
	size_t fds = 0;
	int r = receive_pid(fd, ret, &sent, &fds, err);

	if (r >= 0 && !fds)
		return error_set(err, EPROTO, "a message carries no descriptor");
	if (r >= 0)
		*ret_fd = TAKE_FD(sent);
	return r;
}

int sock_pass_credentials(int fd, bool on, struct error **err)
{
	int value = on;

	if (setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &value, sizeof value) < 0)
		return error_errno(err, "cannot ask for credentials");
	return 0;
}
