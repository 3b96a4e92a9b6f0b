#include "box/holder.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fs.h"
#include "base/sock.h"
#include "base/spawn.h"
#include "base/wire.h"
#include "box/holder-protocol.h"
#include "box/lock.h"
#include "base/subid.h"

#define START_TIMEOUT_MS 10000
#define CONNECT_TRIES	 3
#define MEBIBYTE	 (UINT64_C(1) << 20)

/* One message from the holder that is starting: 'u' or 'r', or the text of what failed. */
static int expect(int starter, char byte, struct error **err)
{
	struct pollfd p = { .fd = starter, .events = POLLIN };
	char text[512];
	ssize_t n;

	if (poll(&p, 1, START_TIMEOUT_MS) <= 0)
		return error_set(err, ETIMEDOUT, "the session holder does not answer");
	n = recv(starter, text, sizeof text - 1, 0);
	if (n <= 0)
		return error_set(err, EPIPE, "the session holder ended at its start");
	text[n] = '\0';
	if (n != 1 || text[0] != byte)
		return error_set(err, EIO, "session holder: %s", text);
	return 0;
}

/* The mapping order is the holder's: first the subordinate ids, then the user's own. */
static int map_ids(pid_t pid, const char *tool, uint32_t first, uint32_t own, struct error **err)
{
	_cleanup_free_ char *pid_text = xasprintf("%d", pid);
	_cleanup_free_ char *first_text = xasprintf("%u", first);
	_cleanup_free_ char *own_text = xasprintf("%u", own);
	_cleanup_free_ char *count = xasprintf("%u", HOLDER_IDS);
	_cleanup_free_ char *output = NULL;
	char *argv[] = {
		(char *)tool, pid_text, "0", first_text, count, count, own_text, "1", NULL
	};
	const struct spawn s = { .argv = argv };
	int status, r;

	r = spawn_collect(&s, 4096, &output, &status, err);
	if (r < 0)
		return error_prefix(err, "apt install uidmap");
	if (status_to_exit_code(status) != 0) {
		output[strcspn(output, "\n")] = '\0';
		return error_set(err, EPERM, "%s failed: %s", tool, output);
	}
	return 0;
}

static int prepare_holder(pid_t pid, int starter, struct error **err)
{
	uint32_t first_uid, first_gid;
	int r;

	r = subid_find("/etc/subuid", HOLDER_IDS, &first_uid, err);
	if (r < 0)
		return r;
	r = subid_find("/etc/subgid", HOLDER_IDS, &first_gid, err);
	if (r < 0)
		return r;
	r = expect(starter, 'u', err);
	if (r < 0)
		return r;
	r = map_ids(pid, "/usr/bin/newuidmap", first_uid, getuid(), err);
	if (r < 0)
		return r;
	r = map_ids(pid, "/usr/bin/newgidmap", first_gid, getgid(), err);
	if (r < 0)
		return r;
	if (send(starter, "m", 1, MSG_NOSIGNAL) != 1)
		return error_set(err, EPIPE, "the session holder ended at its start");
	return expect(starter, 'r', err);
}

/* Under the holder lock: nobody else starts one, and a socket that nobody answers is stale. */
static int start_holder(int runtime_dir, holder_started_fn *started, void *user, int *ret_starter,
			struct error **err)
{
	char *argv[] = { VITRINE_EXEC_DIR "/vitrine-holder", NULL };
	_cleanup_close_ int starter = -EBADF, theirs = -EBADF;
	struct child child = CHILD_NONE;
	struct spawn s = { .argv = argv, .outlive_parent = true, .new_session = true };
	int fds[HOLDER_INHERITED_END], pair[2], r;

	if (unlinkat(runtime_dir, HOLDER_SOCKET, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove a stale holder socket");
	r = sock_pair(pair, err);
	if (r < 0)
		return r;
	starter = pair[0];
	theirs = pair[1];
	fds[0] = fds[1] = fds[2] = -EBADF;
	fds[HOLDER_STARTER] = theirs;
	fds[HOLDER_RUNTIME_DIR] = runtime_dir;
	s.fds = fds;
	s.n_fds = ARRAY_SIZE(fds);
	r = spawn(&s, &child, err);
	if (r < 0)
		return r;
	theirs = close_fd(theirs);
	started(user, child.pid);
	r = prepare_holder(child.pid, starter, err);
	if (r < 0) {
		child_end(&child);
		(void)unlinkat(runtime_dir, HOLDER_SOCKET, 0);
		return r;
	}
	close_fd(child.pidfd);
	*ret_starter = TAKE_FD(starter);
	return 0;
}

static bool nobody_listens(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED;
}

static int connect_or_start(int runtime_dir, int lock_fd, holder_started_fn *started, void *user,
			    int *ret_fd, struct error **err)
{
	_cleanup_close_ int starter =
		-EBADF; /* open until we are connected: a holder without either ends */
	int r;

	r = sock_connect(runtime_dir, HOLDER_SOCKET, ret_fd, err);
	if (!nobody_listens(r))
		return r;
	*err = error_free(*err);

	r = lock_holder(lock_fd, err);
	if (r < 0)
		return r;
	r = sock_connect(runtime_dir, HOLDER_SOCKET, ret_fd, err);
	if (nobody_listens(r)) {
		*err = error_free(*err);
		r = start_holder(runtime_dir, started, user, &starter, err);
		if (r >= 0)
			r = sock_connect(runtime_dir, HOLDER_SOCKET, ret_fd, err);
	}
	lock_holder_done(lock_fd);
	return r;
}

static int ask(int fd, const char *sandbox_id, uint64_t size, uint32_t inodes, struct holder *ret,
	       struct error **err)
{
	_cleanup_free_ struct message *answer = xmalloc(sizeof *answer);
	_cleanup_free_ char *refusal = NULL;
	_cleanup_buf_ struct buf request = { 0 };
	struct wire w;
	int r;

	wire_put_string(&request, sandbox_id);
	wire_put_u32(&request, (uint32_t)((size + MEBIBYTE - 1) / MEBIBYTE));
	wire_put_u32(&request, inodes);
	r = sock_send(fd, request.data, request.size, NULL, 0, err);
	if (r < 0)
		return r;
	r = sock_receive(fd, answer, err);
	if (r < 0)
		return r;
	if (answer->size == 0)
		return error_set(err, EPIPE, "the session holder went away");
	w = wire_open(answer->data, answer->size);
	refusal = wire_get_string(&w);
	if (!wire_end(&w) || *refusal || answer->n_fds != HOLDER_FD_MAX) {
		message_close_fds(answer);
		return error_set(err, EPROTO, "session holder: %s",
				 *refusal ? refusal : "bad answer");
	}
	*ret = (struct holder){
		.connection = fd,
		.user_ns = answer->fds[HOLDER_FD_USER],
		.mount_ns = answer->fds[HOLDER_FD_MOUNT],
		.net_ns = answer->fds[HOLDER_FD_NET],
		.tree = answer->fds[HOLDER_FD_TREE],
	};
	return 0;
}

int holder_connect(int runtime_dir, int lock_fd, const char *sandbox_id, uint64_t size,
		   uint32_t inodes, holder_started_fn *started, void *user, struct holder *ret,
		   struct error **err)
{
	for (int try = 1;; try++) {
		_cleanup_close_ int fd = -EBADF;
		int r;

		r = connect_or_start(runtime_dir, lock_fd, started, user, &fd, err);
		if (r < 0)
			return r;
		r = ask(fd, sandbox_id, size, inodes, ret, err);
		if (r >= 0) {
			TAKE_FD(fd);
			return 0;
		}
		/* It was about to end when we connected: start another one. */
		if ((r != -EPIPE && r != -ECONNRESET) || try == CONNECT_TRIES)
			return r;
		*err = error_free(*err);
	}
}

void holder_release(struct holder *h)
{
	close_fd(h->connection);
	close_fd(h->user_ns);
	close_fd(h->mount_ns);
	close_fd(h->net_ns);
	close_fd(h->tree);
	*h = HOLDER_NONE;
}
