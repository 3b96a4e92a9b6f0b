#include "base/spawn.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/signals.h"
#include "base/strv.h"

#define SPAWN_FDS_MAX 16

static const char *const minimal_env[] = { "PATH=/usr/bin:/bin", NULL };

/* Moves the descriptors out of the way first, so that a target never overwrites a later source. */
static bool place_fds(const struct spawn *s)
{
	int moved[SPAWN_FDS_MAX];

	for (size_t i = 0; i < s->n_fds; i++) {
		int fd = s->fds[i] >= 0 ? s->fds[i] : open("/dev/null", O_RDWR | O_CLOEXEC);

		moved[i] = fcntl(fd, F_DUPFD_CLOEXEC, SPAWN_FDS_MAX);
		if (moved[i] < 0)
			return false;
	}
	for (size_t i = 0; i < s->n_fds; i++)
		if (dup2(moved[i], (int)i) < 0)
			return false;
	return true;
}

static bool limit_files(const struct spawn *s)
{
	const struct rlimit files = { s->open_files, s->open_files };
	struct rlimit now;

	if (!s->open_files ||
	    (getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_max <= files.rlim_max))
		return true;
	return setrlimit(RLIMIT_NOFILE, &files) == 0;
}

/* Runs in the child: only async-signal-safe calls, ends in exec or _exit. */
static void __attribute__((noreturn)) child_main(const struct spawn *s, pid_t parent, int report)
{
	const char *path = s->path ? s->path : s->argv[0];
	int code;

	signals_reset();
	if (s->new_session)
		(void)setsid();
	if (!s->outlive_parent) {
		/* A parent that died before the prctl is caught by the second check. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			goto fail;
	}
	report = fcntl(report, F_DUPFD_CLOEXEC, 2 * SPAWN_FDS_MAX);
	if (report < 0 || !place_fds(s))
		goto fail;
	if (report > (int)s->n_fds &&
	    syscall(SYS_close_range, (unsigned)s->n_fds, (unsigned)report - 1, 0) < 0)
		goto fail;
	if (syscall(SYS_close_range, (unsigned)report + 1, ~0U, 0) < 0)
		goto fail;
	if (!limit_files(s) || (s->cwd && chdir(s->cwd) < 0))
		goto fail;
	execve(path, s->argv, s->env ? s->env : (char *const *)minimal_env);
fail:
	code = errno;
	if (write(report, &code, sizeof code) < 0)
		_exit(127);
	_exit(127);
}

int spawn(const struct spawn *s, struct child *ret, struct error **err)
{
	const char *path = s->path ? s->path : s->argv[0];
	_cleanup_close_ int report_read = -EBADF, report_write = -EBADF;
	struct child c = CHILD_NONE;
	pid_t parent = getpid();
	int pipe_fds[2], code;
	ssize_t n;

	if (s->n_fds > SPAWN_FDS_MAX)
		return error_set(err, EINVAL, "too many descriptors for '%s'", path);
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot start '%s'", path);
	report_read = pipe_fds[0];
	report_write = pipe_fds[1];

	c.pid = fork();
	if (c.pid < 0)
		return error_errno(err, "cannot start '%s'", path);
	if (c.pid == 0)
		child_main(s, parent, report_write);
	report_write = close_fd(report_write);

	do
		n = read(report_read, &code, sizeof code);
	while (n < 0 && errno == EINTR);
	if (n == sizeof code) {
		(void)waitpid(c.pid, NULL, 0);
		errno = code;
		return error_errno(err, "cannot start '%s'", path);
	}
	/* Not reaped yet, so the pid is still the child's even if it has ended. */
	c.pidfd = (int)syscall(SYS_pidfd_open, c.pid, 0);
	if (c.pidfd < 0) {
		int r = error_errno(err, "cannot watch '%s'", path);

		(void)kill(c.pid, SIGKILL);
		(void)waitpid(c.pid, NULL, 0);
		return r;
	}
	*ret = c;
	return 0;
}

int child_wait(struct child *c, int timeout_ms, int *ret_status, struct error **err)
{
	struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
	int n, status;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR && timeout_ms < 0);
	if (n < 0 && errno != EINTR)
		return error_errno(err, "cannot wait for a process");
	if (n <= 0)
		return 0;
	while (waitpid(c->pid, &status, 0) < 0)
		if (errno != EINTR)
			return error_errno(err, "cannot wait for a process");
	close_fd(c->pidfd);
	*c = CHILD_NONE;
	if (ret_status)
		*ret_status = status;
	return 1;
}

int child_await_ready(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte;
	int n;

	do
		n = poll(&p, 1, timeout_ms);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIMEDOUT;
	return n > 0 && read(fd, &byte, 1) == 1 ? 0 : -EPIPE;
}

void child_end(struct child *c)
{
	if (c->pid <= 0)
		return;
	(void)syscall(SYS_pidfd_send_signal, c->pidfd, SIGKILL, NULL, 0);
	while (waitpid(c->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close_fd(c->pidfd);
	*c = CHILD_NONE;
}

char **spawn_env(const char *const *names)
{
	char **env = strv_copy((char *const *)minimal_env);

	for (; *names; names++) {
		const char *value = getenv(*names);

		if (value)
			strv_addf(&env, "%s=%s", *names, value);
	}
	return env;
}

int status_to_exit_code(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int spawn_collect(const struct spawn *s, size_t limit, char **ret_output, int *ret_status,
		  struct error **err)
{
	_cleanup_(child_end) struct child c = CHILD_NONE;
	_cleanup_close_ int out_read = -EBADF, out_write = -EBADF;
	_cleanup_free_ char *output = NULL;
	struct spawn with_pipe = *s;
	int fds[3], pipe_fds[2], r;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	out_read = pipe_fds[0];
	out_write = pipe_fds[1];
	fds[0] = -EBADF;
	fds[1] = fds[2] = out_write;
	with_pipe.fds = fds;
	with_pipe.n_fds = 3;
	r = spawn(&with_pipe, &c, err);
	if (r < 0)
		return r;
	out_write = close_fd(out_write);
	r = fs_read_fd(out_read, limit, &output, NULL, err);
	if (r < 0)
		return error_prefix(err, "output of '%s'", s->argv[0]);
	r = child_wait(&c, -1, ret_status, err);
	if (r < 0)
		return r;
	*ret_output = TAKE_PTR(output);
	return 0;
}
