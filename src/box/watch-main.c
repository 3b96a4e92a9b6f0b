/*
 * vitrine-watch: answers the system call filters of an application that is watched (box/watch.h).
 * It joins the holder's user namespace alone, becomes root there, and gives up everything but the
 * right to look at processes; for learning also to read what belongs to their ids, as their memory
 * does. When it ends, what waits for an answer gets ENOSYS, and the supervisor ends the sandbox.
 */

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/sock.h"
#include "box/session-root.h"
#include "box/watch-private.h"

#define LISTENERS_MAX 8U

#define MEMORY_MAX (256U << 20)
#define FILES_MAX  64U

static struct message inbox; /* 64 KiB: not on the stack */

static int become_root(const struct watch_order *o, struct error **err)
{
	/* Memory and file system of a process are, beyond that, files of its own id. */
	const uint32_t learning = o->mode == WATCH_LEARN ? 1U << CAP_DAC_READ_SEARCH : 0;
	const struct session_root root = {
		.user_ns = WATCH_USER_NS,
		.supervisor = o->supervisor,
		.capabilities = 1U << CAP_SYS_PTRACE | learning,
		.memory = MEMORY_MAX,
		.files = FILES_MAX,
	};

	return session_root_become(&root, err);
}

/* The next descriptor to answer at; 0 when the supervisor is gone. */
static int take_listener(struct pollfd *places, size_t *n, struct error **err)
{
	int r = sock_receive(WATCH_SOCKET, &inbox, err);

	if (r < 0 || inbox.size == 0)
		return r;
	if (inbox.n_fds != 1 || *n == LISTENERS_MAX) {
		message_close_fds(&inbox);
		return error_set(err, EPROTO, "nothing to answer at, or too much");
	}
	places[(*n)++] = (struct pollfd){ .fd = TAKE_FD(inbox.fds[0]), .events = POLLIN };
	return 1;
}

/* places[0] is the socket. */
static int serve(struct watch *w, struct error **err)
{
	struct pollfd places[LISTENERS_MAX] = { { .fd = WATCH_SOCKET, .events = POLLIN } };
	size_t n = 1;

	for (;;) {
		if (poll(places, n, -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, "cannot wait for questions");
		}
		for (size_t i = n; --i > 0;) {
			bool asked = places[i].revents & POLLIN;

			if (!places[i].revents || (asked && watch_answer(w, places[i].fd)))
				continue;
			/* Nobody is left that could ask. */
			close_fd(places[i].fd);
			places[i] = places[--n];
		}
		if (places[0].revents) {
			int r = take_listener(places, &n, err);

			if (r <= 0)
				return r;
		}
	}
}

static int run(struct error **err)
{
	_cleanup_(watch_order_release) struct watch_order o = { 0 };
	_cleanup_free_ uint64_t *told = xcalloc(WATCH_EVENTS_MAX, sizeof *told);
	_cleanup_free_ char *data = NULL;
	struct watch w = { .order = &o, .socket = WATCH_SOCKET, .told = told };
	size_t size;
	int r;

	r = fs_read_fd(WATCH_ORDER, WATCH_ORDER_MAX, &data, &size, err);
	if (r >= 0)
		r = watch_order_read(data, size, &o, err);
	if (r < 0)
		return r;
	if (fcntl(WATCH_SOCKET, F_SETFL, O_NONBLOCK) < 0)
		return error_errno(err, "cannot use the socket");
	r = fs_open_dir(AT_FDCWD, "/proc", &w.proc, err);
	if (r >= 0)
		r = become_root(&o, err);
	return r < 0 ? r : serve(&w, err);
}

int main(void)
{
	_cleanup_(error_freep) struct error *error = NULL;

	for (int fd = WATCH_ORDER; fd < WATCH_INHERITED_END; fd++)
		if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			return 2;
	if (run(&error) >= 0)
		return 0;
	dprintf(STDERR_FILENO, "%s\n", error->message);
	return 1;
}
