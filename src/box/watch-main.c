/*
 * vitrine-watch: answers the system call filters of an application that is watched (box/watch.h).
 * It joins the holder's user namespace alone, becomes root there, and gives up everything but the
 * right to look at processes; for learning also to read what belongs to their ids, as their memory
 * does. When it ends, what waits for an answer gets ENOSYS, and the supervisor ends the sandbox.
 */

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "base/fs.h"
#include "base/sock.h"
#include "box/watch-private.h"

#define LISTENERS_MAX 8U

#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX RLIM_INFINITY /* it maps terabytes that it does not use */
#else
#define MEMORY_MAX (256U << 20)
#endif

static struct message inbox; /* 64 KiB: not on the stack */

static int become_root(struct error **err)
{
	if (setns(WATCH_USER_NS, CLONE_NEWUSER) < 0)
		return error_errno(err, "cannot join the session's user namespace");
	if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
		return error_errno(err, "cannot become root of the session's user namespace");
	return 0;
}

/* Only now: a change of ids clears the death signal. */
static int die_with(uint32_t supervisor, struct error **err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		return error_errno(err, "cannot set the death signal");
	if (getppid() != (pid_t)supervisor)
		return error_set(err, ESRCH, "who asked for it is gone");
	return 0;
}

static int drop_rights(enum watch_mode mode, struct error **err)
{
	static const struct {
		int resource;
		rlim_t limit;
	} limits[] = {
		{ RLIMIT_AS, MEMORY_MAX },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NOFILE, 64 },
		{ RLIMIT_NPROC, 0 },
	};
	/* Memory and file system of a process are, beyond that, files of its own id. */
	const uint32_t kept = 1U << CAP_SYS_PTRACE |
			      (mode == WATCH_LEARN ? 1U << CAP_DAC_READ_SEARCH : 0);
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {
		{ .effective = kept, .permitted = kept },
	};

	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct rlimit l = { limits[i].limit, limits[i].limit };

		/* A lower limit that is there already is as good. */
		if (setrlimit(limits[i].resource, &l) < 0 && errno != EPERM)
			return error_errno(err, "cannot limit this process");
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_capset, &header, data) < 0)
		return error_errno(err, "cannot give up rights");
	return 0;
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
		r = become_root(err);
	if (r >= 0)
		r = die_with(o.supervisor, err);
	if (r >= 0)
		r = drop_rights(o.mode, err);
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
