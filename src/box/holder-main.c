/*
 * vitrine-holder: keeps one user's session namespaces alive while sandboxes run, and a tmpfs for
 * each of them. It makes nothing else and reads no file; whoever connects is the same user.
 */

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/loop.h"
#include "base/sock.h"
#include "base/text.h"
#include "base/wire.h"
#include "box/devices.h"
#include "box/holder-protocol.h"
#include "box/holder.h"

#define FIRST_CONNECTION_MS 10000

static struct loop *loop;
static int listener = -EBADF;
static bool has_name; /* HOLDER_SOCKET is ours */
static struct source *starter;
static unsigned connections;
static bool idle; /* no connection is left */
static int signals = -EBADF;
static bool terminated; /* by SIGTERM: the user's session ends */
static struct message inbox;
static int namespaces[HOLDER_FD_TREE]; /* descriptors of user, mount, net */

struct connection {
	int fd;
	struct source *source;
	char *id; /* NULL until its tmpfs is there */
};

static char *tree_path(const char *id)
{
	return xasprintf(HOLDER_TREES "/%s", id);
}

static void connection_end(struct connection *c)
{
	if (c->id) {
		_cleanup_free_ char *path = tree_path(c->id);

		(void)umount2(path, MNT_DETACH);
		(void)rmdir(path);
	}
	source_remove(c->source);
	close_fd(c->fd);
	free(c->id);
	free(c);
	idle = --connections == 0;
}

/* Makes the sandbox's tmpfs. Others of the namespace may pass through it (0711), not list it. */
static int make_tree(const char *id, uint32_t megabytes, uint32_t inodes, int *ret_fd,
		     struct error **err)
{
	_cleanup_free_ char *path = tree_path(id);
	_cleanup_free_ char *options = xasprintf("size=%um,nr_inodes=%u,mode=0711", megabytes,
						 inodes);
	_cleanup_close_ int fd = -EBADF;

	if (mkdir(path, 0711) < 0)
		return error_errno(err, "cannot make the place of sandbox '%s'", id);
	if (mount("vitrine", path, "tmpfs", MS_NOSUID | MS_NODEV, options) < 0) {
		int r = error_errno(err, "cannot mount the tmpfs of sandbox '%s'", id);

		(void)rmdir(path);
		return r;
	}
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* The user's own id: what the supervisor gives to its boxes it writes there itself. */
	if (fd < 0 || mkdirat(fd, "shared", 0711) < 0 ||
	    fchownat(fd, "shared", HOLDER_IDS, HOLDER_IDS, 0) < 0) {
		int r = error_errno(err, "cannot open the tmpfs of sandbox '%s'", id);

		(void)umount2(path, MNT_DETACH);
		(void)rmdir(path);
		return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int handle_request(struct connection *c, struct error **err)
{
	_cleanup_close_ int tree = -EBADF;
	_cleanup_free_ char *id = NULL;
	_cleanup_buf_ struct buf answer = { 0 };
	struct wire w = wire_open(inbox.data, inbox.size);
	uint32_t megabytes, inodes;
	int fds[HOLDER_FD_MAX], r;

	id = wire_get_string(&w);
	megabytes = wire_get_u32(&w);
	inodes = wire_get_u32(&w);
	if (!wire_end(&w) || c->id || !name_is_valid(id) || !megabytes || !inodes)
		return error_set(err, EPROTO, "bad request to the session holder");
	r = make_tree(id, megabytes, inodes, &tree, err);
	if (r < 0)
		return r;
	c->id = TAKE_PTR(id);

	memcpy(fds, namespaces, sizeof namespaces);
	fds[HOLDER_FD_TREE] = tree;
	wire_put_string(&answer, "");
	return sock_send(c->fd, answer.data, answer.size, fds, HOLDER_FD_MAX, err);
}

static void on_message(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct connection *c = user;

	(void)revents;
	if (sock_receive(c->fd, &inbox, &error) < 0 || inbox.size == 0) {
		connection_end(c);
		return;
	}
	message_close_fds(&inbox);
	if (handle_request(c, &error) < 0) {
		_cleanup_(error_freep) struct error *ignored = NULL;
		_cleanup_buf_ struct buf answer = { 0 };

		wire_put_string(&answer, error->message);
		(void)sock_send(c->fd, answer.data, answer.size, NULL, 0, &ignored);
	}
}

static void on_connection(void *user, short revents)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct connection *c;
	int fd;

	(void)user;
	(void)revents;
	if (sock_accept(listener, HOLDER_IDS, &fd, &error) < 0)
		return; /* a stranger, or nobody: the listener does not block */
	c = xcalloc(1, sizeof *c);
	c->fd = fd;
	c->source = loop_add(loop, fd, POLLIN, on_message, c);
	connections++;
	idle = false;
}

/* One byte to or from the starter. */
static bool tell(char byte)
{
	return send(HOLDER_STARTER, &byte, 1, MSG_NOSIGNAL) == 1;
}

static bool hear(char byte)
{
	char got;

	return recv(HOLDER_STARTER, &got, 1, 0) == 1 && got == byte;
}

static int enter_namespaces(struct error **err)
{
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET) < 0)
		return error_errno(err, "cannot make a user namespace (see 'vitrine doctor')");
	if (!tell('u') || !hear('m'))
		return error_set(err, EPROTO, "the ids of the session were not mapped");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno(err, "cannot become root of the session's user namespace");
	/* The change of ids made /proc/self foreign; there is nothing secret in here. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0)
		return error_errno(err, "cannot become dumpable");
	return 0;
}

/* liblxc writes below /run as root; the host's own is hidden, and with it every socket there. */
static int make_run(struct error **err)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };

	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0)
		return error_errno(err, "cannot make the session's mounts its own");
	/* Root of this namespace may write whatever belongs to the user, control groups too;
	 * neither it nor liblxc, which would divide them further, is to do so. Where there are none
	 * (EINVAL: no mount) nothing is to be kept. */
	if (mount_setattr(AT_FDCWD, "/sys/fs/cgroup", AT_RECURSIVE, &read_only, sizeof read_only) <
		    0 &&
	    errno != ENOENT && errno != EINVAL)
		return error_errno(err, "cannot make control groups read-only");
	if (mount("vitrine", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "size=16m,mode=0755") < 0)
		return error_errno(err, "cannot mount a tmpfs over /run");
	if (mkdir("/run/lxc", 0755) < 0 || mkdir(HOLDER_TREES, 0711) < 0)
		return error_errno(err, "cannot make directories in /run");
	return devices_make(err);
}

static int open_namespaces(struct error **err)
{
	static const char *const files[] = {
		[HOLDER_FD_USER] = "/proc/self/ns/user",
		[HOLDER_FD_MOUNT] = "/proc/self/ns/mnt",
		[HOLDER_FD_NET] = "/proc/self/ns/net",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		namespaces[i] = open(files[i], O_RDONLY | O_CLOEXEC);
		if (namespaces[i] < 0)
			return error_errno(err, "cannot open '%s'", files[i]);
	}
	return 0;
}

/* Only once: the name may belong to a successor by then. */
static void remove_name(void)
{
	if (has_name)
		(void)unlinkat(HOLDER_RUNTIME_DIR, HOLDER_SOCKET, 0);
	has_name = false;
}

/* It has connected, or it never will. */
static void on_starter_gone(void *user, short revents)
{
	(void)user;
	(void)revents;
	starter = source_remove(starter);
	on_connection(NULL, 0);
	idle = connections == 0;
}

/* Sandboxes that still end have what they need, and it is the name alone that would stay. */
static void on_signal(void *user, short revents)
{
	(void)user;
	(void)revents;
	terminated = true;
	idle = true;
}

static int watch_signals(struct error **err)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return error_errno(err, "cannot block signals");
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return error_errno(err, "cannot wait for signals");
	loop_add(loop, signals, POLLIN, on_signal, NULL);
	return 0;
}

/* The name goes first; who has connected before that is in the queue and is still served. */
static bool retire(void)
{
	if (connections)
		return false;
	remove_name();
	on_connection(NULL, 0);
	return connections == 0;
}

static int run(struct error **err)
{
	int r;

	umask(0);
	if (chdir("/") < 0)
		return error_errno(err, "cannot change to /");
	/* While the socket can still belong to the user; it goes with this process, whoever else
	 * dies. */
	r = sock_listen(HOLDER_RUNTIME_DIR, HOLDER_SOCKET, &listener, err);
	if (r < 0)
		return r;
	has_name = true;
	r = enter_namespaces(err);
	if (r < 0)
		return r;
	r = make_run(err);
	if (r < 0)
		return r;
	r = open_namespaces(err);
	if (r < 0)
		return r;
	loop = loop_new();
	loop_add(loop, listener, POLLIN, on_connection, NULL);
	r = watch_signals(err);
	if (r < 0)
		return r;
	starter = loop_add(loop, HOLDER_STARTER, POLLIN, on_starter_gone, NULL);
	if (fcntl(listener, F_SETFL, O_NONBLOCK) < 0 || !tell('r'))
		return error_set(err, EPROTO, "the starter of the session holder is gone");

	/* Whoever started it connects at once; if nobody does there is nothing to hold. */
	for (;;) {
		r = loop_run(loop, &idle, connections ? -1 : FIRST_CONNECTION_MS, err);
		if (r < 0)
			return r;
		if (terminated)
			remove_name();
		if (terminated || retire())
			return 0;
		idle = false;
	}
}

int main(void)
{
	_cleanup_(error_freep) struct error *error = NULL;

	for (int fd = HOLDER_STARTER; fd < HOLDER_INHERITED_END; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 2;
	if (run(&error) < 0) {
		_cleanup_(error_freep) struct error *ignored = NULL;

		remove_name();
		/* The starter reads why. */
		(void)sock_send(HOLDER_STARTER, error->message, strlen(error->message), NULL, 0,
				&ignored);
		return 1;
	}
	return 0;
}
