#include "box/orphan.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int monitor = -1; /* pidfd of the process that runs liblxc */

int orphan_guard(void)
{
	monitor = (int)syscall(SYS_pidfd_open, getpid(), 0);
	return monitor < 0 ? -errno : 0;
}

static bool has_ended(int pidfd)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };

	return poll(&p, 1, 0) != 0;
}

/*
 * In place of libc's, for liblxc too. The first thing that liblxc's new process does is to wait for
 * a message of the monitor, of whose socket it holds both ends: if the monitor is killed now, it
 * would wait for ever, with every capability of its user namespace. Later it sets a death signal
 * itself.
 */
ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	if (getpid() == 1 && monitor >= 0) {
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || has_ended(monitor))
			_exit(1);
	}
	return syscall(SYS_recvmsg, fd, message, flags);
}
