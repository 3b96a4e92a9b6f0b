#include "session/net.h"

#include <fcntl.h>
#include <poll.h>

#include "base/spawn.h"
#include "base/strv.h"

#define SLIRP		 "/usr/bin/slirp4netns"
#define READY_TIMEOUT_MS 10000

enum {
	SLIRP_READY = 3, /* it writes "1" here when the device is configured */
	SLIRP_EXIT, /* it ends when the other end of this closes: also if the supervisor is killed
		     */
	SLIRP_FDS,
};

struct net {
	struct child slirp;
	int exit_write; /* ours of SLIRP_EXIT */
	struct source *source;
	box_lost_fn *lost;
	void *user;
};

static void on_end(void *user, short revents)
{
	struct net *n = user;

	(void)revents;
	n->source = source_remove(n->source);
	n->lost(n->user, "slirp4netns ended: the network is gone");
}

char **net_command(const char *init)
{
	_cleanup_strv_ char **argv = NULL;

	strv_add(&argv, SLIRP);
	strv_add(&argv, "--configure");
	strv_add(&argv, "--mtu=65520");
	strv_add(&argv, "--disable-host-loopback");
	strv_add(&argv, "--enable-seccomp");
	strv_addf(&argv, "--ready-fd=%d", SLIRP_READY);
	strv_addf(&argv, "--exit-fd=%d", SLIRP_EXIT);
	strv_addf(&argv, "--userns-path=/proc/%s/ns/user", init);
	strv_add(&argv, "--netns-type=path");
	strv_addf(&argv, "/proc/%s/ns/net", init);
	strv_add(&argv, "tap0");
	return TAKE_PTR(argv);
}

static int await_ready(int fd, struct error **err)
{
	int r = child_await_ready(fd, READY_TIMEOUT_MS);

	if (r == -ETIMEDOUT)
		return error_set(err, ETIMEDOUT, "slirp4netns is not ready in time");
	if (r < 0)
		return error_set(
			err, EIO,
			"slirp4netns cannot reach the network of the box (see 'vitrine doctor')");
	return 0;
}

int net_start(const struct box *app, struct loop *loop, box_lost_fn *lost, void *user,
	      struct net **ret, struct error **err)
{
	_cleanup_free_ char *init = xasprintf("%d", box_init_pid(app));
	_cleanup_strv_ char **argv = net_command(init);
	_cleanup_close_ int ready_read = -EBADF, ready_write = -EBADF, exit_read = -EBADF,
			    exit_write = -EBADF;
	int pair[2], fds[SLIRP_FDS] = { -EBADF, -EBADF, -EBADF }, r;
	struct spawn s = { .argv = argv, .fds = fds, .n_fds = SLIRP_FDS, .new_session = true };
	struct child slirp = CHILD_NONE;
	struct net *n;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	ready_read = pair[0];
	ready_write = pair[1];
	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	exit_read = pair[0];
	exit_write = pair[1];
	fds[SLIRP_READY] = ready_write;
	fds[SLIRP_EXIT] = exit_read;
	r = spawn(&s, &slirp, err);
	if (r < 0)
		return error_prefix(err, "private network (apt install slirp4netns)");
	ready_write = close_fd(ready_write);
	r = await_ready(ready_read, err);
	if (r < 0) {
		child_end(&slirp);
		return r;
	}
	n = xcalloc(1, sizeof *n);
	*n = (struct net){
		.slirp = slirp, .exit_write = TAKE_FD(exit_write), .lost = lost, .user = user
	};
	n->source = loop_add(loop, slirp.pidfd, POLLIN, on_end, n);
	*ret = n;
	return 0;
}

struct net *net_end(struct net *n)
{
	if (!n)
		return NULL;
	source_remove(n->source);
	close_fd(n->exit_write);
	child_end(&n->slirp);
	free(n);
	return NULL;
}
