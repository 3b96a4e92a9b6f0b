/*
 * vitrine-guard COMMAND...: runs a command in a session of its own and ends all of its processes
 * when descriptor 3 closes, which it does with the process that asked, however that ends. The death
 * signal of spawn() reaches one process only, and mmdebstrap leaves many.
 *
 * Descriptors 0 to 2 are the command's. Whatever else is open here (a lock) stays open until the
 * last process is gone. Exit status: that of the command, 128 + signal, 127 if it was not started.
 */

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/loop.h"
#include "base/spawn.h"

#define LIFELINE	 3
#define EXIT_NOT_STARTED 127
#define PATIENCE_MS	 20000 /* for the command to clean up after itself */
#define LAST_PATIENCE_MS 2000

/* Waits until the command has ended; asks it to, then forces it, once the lifeline is closed. */
static void await(pid_t group, int pidfd)
{
	uint64_t deadline = 0;

	for (;;) {
		struct pollfd p[] = {
			{ .fd = pidfd, .events = POLLIN },
			{ .fd = deadline ? -1 : LIFELINE, .events = POLLIN },
		};
		uint64_t now = now_ms();
		int timeout = !deadline ? -1 : deadline > now ? (int)(deadline - now) : 0;
		int n = poll(p, ARRAY_SIZE(p), timeout);

		if (p[0].revents)
			return;
		if (n == 0) {
			(void)kill(-group, SIGKILL);
			deadline = now_ms() + LAST_PATIENCE_MS;
		} else if (n > 0) {
			(void)kill(-group, SIGTERM);
			deadline = now_ms() + PATIENCE_MS;
		}
	}
}

/* Some run as the user's sub-ids; the parent of their namespace may signal them all the same. */
static void await_group(pid_t group)
{
	for (unsigned i = 0; i < LAST_PATIENCE_MS / 20 && kill(-group, 0) == 0; i++)
		(void)poll(NULL, 0, 20);
}

int main(int argc, char **argv)
{
	_cleanup_(child_end) struct child c = CHILD_NONE;
	_cleanup_(error_freep) struct error *err = NULL;
	const int fds[] = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO };
	pid_t group;
	int status;

	if (argc < 2)
		return EXIT_NOT_STARTED;
	if (spawn(&(struct spawn){ .argv = argv + 1,
				   .env = environ,
				   .fds = fds,
				   .n_fds = ARRAY_SIZE(fds),
				   .new_session = true },
		  &c, &err) < 0) {
		dprintf(STDERR_FILENO, "vitrine-guard: %s\n", err->message);
		return EXIT_NOT_STARTED;
	}
	close_fd(STDOUT_FILENO); /* its reader waits for the command's end alone */
	group = c.pid;
	await(group, c.pidfd);
	/* Not reaped yet, so the number of the group is still its own. */
	(void)kill(-group, SIGKILL);
	if (child_wait(&c, -1, &status, &err) < 0)
		return EXIT_NOT_STARTED;
	await_group(group);
	return status_to_exit_code(status);
}
