#pragma once

/*
 * Starting a program: exec only, with exactly the descriptors that are listed, default signal
 * handling, an empty signal mask, and the environment that is given.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct spawn {
	const char *path; /* absolute; NULL: argv[0] */
	char *const *argv;
	char *const *env; /* NULL: only PATH=/usr/bin:/bin */
	const int *fds;	  /* fds[i] becomes descriptor i; negative is /dev/null */
	size_t n_fds;
	bool outlive_parent; /* otherwise it gets SIGKILL when this process ends (PR_SET_PDEATHSIG)
			      */
	const char *cwd;     /* absolute; NULL: as here */
	bool new_session;
	unsigned open_files; /* at most, RLIMIT_NOFILE; 0: as this process */
};

struct child {
	pid_t pid;
	int pidfd; /* owned; readable once the process has ended */
};

#define CHILD_NONE ((struct child){ .pid = -1, .pidfd = -EBADF })

/* For a program that is part of the user's session: of our environment the variables of these names
 * (NULL-terminated), as far as they are set, and the PATH above. Owned by the caller. */
char **spawn_env(const char *const *names);

int spawn(const struct spawn *s, struct child *ret, struct error **err);

/* Waits (at most timeout_ms, -1: for ever) and reaps. Returns 1 and the status of waitpid(2), 0 on
 * time-out. After a 1 the child is CHILD_NONE. */
int child_wait(struct child *c, int timeout_ms, int *ret_status, struct error **err);

/* Waits until a child has written a byte there, as programs do that say when they are ready: 0,
 * -ETIMEDOUT, or -EPIPE if it has ended or closed it instead. */
int child_await_ready(int fd, int timeout_ms);

/* Kills, reaps and forgets; nothing to do for CHILD_NONE. */
void child_end(struct child *c);

/* As a shell says it: the exit status, or 128 + the signal. */
int status_to_exit_code(int status);

/* Runs to the end with stdin /dev/null and collects what it prints (at most `limit` bytes). */
int spawn_collect(const struct spawn *s, size_t limit, char **ret_output, int *ret_status,
		  struct error **err);
