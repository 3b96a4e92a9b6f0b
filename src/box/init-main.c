/*
 * vitrine-init: PID 1 of every box. It starts the commands that the supervisor sends over the
 * lifeline, each under the same compiled filter, reaps, and ends the box when the lifeline closes.
 *
 * It runs with the ids of the application, so what it must not lose it keeps out of reach: it is
 * not dumpable (no ptrace, no /proc/1/fd), PID 1 gets no signal from inside its namespace, and no
 * child inherits the lifeline.
 */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/signals.h"
#include "base/sock.h"
#include "base/strv.h"
#include "base/wire.h"
#include "box/init-protocol.h"
#include "emit/filter.h"

#define COMMANDS_MAX 64
#define SPEC_MAX     (4U << 20)

enum {
	EXIT_NO_FILTER = 125,
	EXIT_NOT_EXECUTABLE = 126,
	EXIT_NOT_FOUND = 127,
};

struct command {
	uint32_t id;
	pid_t pid; /* 0: free place */
};

struct spec {
	char **argv;
	char **env;
	char *cwd;
	uint32_t rows, columns;
};

static struct command commands[COMMANDS_MAX];
static struct message inbox; /* 64 KiB: not on the stack */

/* The wait status of a process that has exited with `code` (wait(2)). */
static int exited(int code)
{
	return code << 8;
}

static void spec_release(struct spec *s)
{
	strv_free(s->argv);
	strv_free(s->env);
	free(s->cwd);
}

/* Nobody reads the error's text in here: the supervisor sees the closed lifeline or barrier. */
static int say(enum init_message type, uint32_t id, const uint32_t *value, const int *fds,
	       size_t n_fds)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_buf_ struct buf m = { 0 };

	wire_put_u32(&m, type);
	wire_put_u32(&m, id);
	if (value)
		wire_put_u32(&m, *value);
	return sock_send(INIT_LIFELINE, m.data, m.size, fds, n_fds, &error);
}

static bool read_spec(int fd, struct spec *ret)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *data = NULL;
	struct wire w;
	size_t size;

	if (fs_read_fd(fd, SPEC_MAX, &data, &size, &error) < 0)
		return false;
	w = wire_open(data, size);
	ret->argv = wire_get_strv(&w);
	ret->env = wire_get_strv(&w);
	ret->cwd = wire_get_string(&w);
	ret->rows = wire_get_u32(&w);
	ret->columns = wire_get_u32(&w);
	return wire_end(&w) && ret->argv;
}

static void complain(const char *what, const char *name)
{
	const char *parts[] = { "vitrine: ", what, " '", name, "': ", strerror(errno), "\n" };

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			return;
}

/* From here on this process makes no call that the filter would ask about. */
static bool confine(int filter, bool watched, int *ret_listener)
{
	int r;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return false;
	r = watched ? filter_load_watched(filter) : filter_load(filter);
	*ret_listener = watched ? r : -EBADF;
	return r >= 0;
}

/* Waits for the supervisor's word at the barrier. errno is 0 where it says no: it tells why. */
static bool pass_barrier(int barrier, int listener)
{
	_cleanup_(error_freep) struct error *error = NULL;
	char byte = 'r';
	int r = sock_send(barrier, &byte, 1, &listener, listener >= 0, &error);
	ssize_t n;

	close_fd(listener);
	if (r < 0) {
		errno = -r;
		return false;
	}
	n = recv(barrier, &byte, 1, 0);
	if (n >= 0)
		errno = 0;
	return n == 1 && byte == 'g';
}

/* As execvpe(3), with the PATH of the new environment. */
static void execute(char **argv, char **env)
{
	const char *path = NULL;

	if (strchr(argv[0], '/')) {
		execve(argv[0], argv, env);
		return;
	}
	for (char **e = env; e && *e; e++)
		if (!strncmp(*e, "PATH=", 5))
			path = *e + 5;
	errno = ENOENT;
	while (path && *path) {
		size_t n = strcspn(path, ":");
		_cleanup_free_ char *file = xasprintf("%.*s/%s", (int)n, path, argv[0]);

		execve(file, argv, env);
		if (errno != ENOENT && errno != ENOTDIR)
			return;
		path += n + (path[n] == ':');
	}
}

static _Noreturn void child_main(struct spec *spec, const int *stdio, int barrier, int filter,
				 uint32_t flags)
{
	bool terminal = flags & INIT_SPAWN_TERMINAL, watched = flags & INIT_SPAWN_WATCHED;
	char *const no_env[] = { NULL };
	int listener;
	uint32_t error;

	signals_reset();
	if (setsid() < 0 || (terminal && ioctl(stdio[0], TIOCSCTTY, 0) < 0))
		_exit(EXIT_NO_FILTER);
	for (int i = 0; i < 3; i++)
		if (dup2(stdio[i], i) < 0)
			_exit(EXIT_NO_FILTER);
	if (dup3(barrier, 3, O_CLOEXEC) < 0 || dup3(filter, 4, O_CLOEXEC) < 0 ||
	    syscall(SYS_close_range, 5U, ~0U, 0) < 0)
		_exit(EXIT_NO_FILTER);
	if (*spec->cwd && chdir(spec->cwd) < 0 && chdir("/") < 0)
		_exit(EXIT_NO_FILTER);

	if (!confine(4, watched, &listener) || !pass_barrier(3, listener)) {
		if (errno)
			complain("system calls are denied ([Seccomp]) without which nothing starts",
				 spec->argv[0]);
		_exit(EXIT_NO_FILTER);
	}
	execute(spec->argv, spec->env ? spec->env : (char **)no_env);
	error = (uint32_t)errno;
	complain("cannot execute", spec->argv[0]);
	(void)send(3, &error, sizeof error, MSG_NOSIGNAL); /* its end tells as well */
	_exit(error == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/* Opens a pseudo-terminal of the box's own devpts; the peer comes by descriptor, never by name. */
static bool open_terminal(const struct spec *spec, int *ret_master, int *ret_peer)
{
	struct winsize size = { .ws_row = (unsigned short)spec->rows,
				.ws_col = (unsigned short)spec->columns };
	_cleanup_close_ int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	_cleanup_close_ int peer = -EBADF;
	int unlock = 0;

	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return false;
	peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (peer < 0)
		return false;
	if (spec->rows && spec->columns)
		(void)ioctl(peer, TIOCSWINSZ, &size);
	*ret_master = TAKE_FD(master);
	*ret_peer = TAKE_FD(peer);
	return true;
}

static struct command *free_place(void)
{
	for (size_t i = 0; i < COMMANDS_MAX; i++)
		if (!commands[i].pid)
			return &commands[i];
	return NULL;
}

/* Returns the wait status of a command that could not be started, or -1 when it runs. */
static int start_command(uint32_t id, uint32_t flags, const int *fds)
{
	_cleanup_(spec_release) struct spec spec = { 0 };
	_cleanup_close_ int master = -EBADF, peer = -EBADF;
	struct command *place = free_place();
	const int *stdio = fds + SPAWN_FD_STDIN;
	int both[3];

	if (!place || !read_spec(fds[SPAWN_FD_SPEC], &spec))
		return exited(EXIT_NO_FILTER);
	if (flags & INIT_SPAWN_TERMINAL) {
		if (!open_terminal(&spec, &master, &peer))
			return exited(EXIT_NO_FILTER);
		both[0] = both[1] = both[2] = peer;
		stdio = both;
		say(INIT_TERMINAL, id, NULL, &master, 1);
	}
	place->pid = fork();
	if (place->pid < 0) {
		place->pid = 0;
		return exited(EXIT_NO_FILTER);
	}
	if (place->pid == 0)
		child_main(&spec, stdio, fds[SPAWN_FD_BARRIER], fds[SPAWN_FD_FILTER], flags);
	place->id = id;
	return -1;
}

static void handle_spawn(uint32_t id, uint32_t flags)
{
	bool terminal = flags & INIT_SPAWN_TERMINAL;
	size_t want = terminal ? SPAWN_FD_STDIN : SPAWN_FD_MAX;
	uint32_t failed = exited(EXIT_NO_FILTER);
	int status;

	status = inbox.n_fds == want ? start_command(id, flags, inbox.fds) : (int)failed;
	if (status >= 0) {
		failed = (uint32_t)status;
		say(INIT_ENDED, id, &failed, NULL, 0);
	}
}

/* False when the supervisor is gone. */
static bool handle_message(void)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct wire w;
	uint32_t type, id, value;

	if (sock_receive(INIT_LIFELINE, &inbox, &error) < 0 || inbox.size == 0)
		return false;
	w = wire_open(inbox.data, inbox.size);
	type = wire_get_u32(&w);
	id = wire_get_u32(&w);
	value = wire_get_u32(&w);
	if (wire_end(&w) && type == INIT_SPAWN)
		handle_spawn(id, value);
	else if (wire_end(&w) && type == INIT_SIGNAL)
		(void)kill(-1, (int)value);
	message_close_fds(&inbox);
	return true;
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < COMMANDS_MAX; i++) {
			uint32_t value = (uint32_t)status;

			if (commands[i].pid != pid)
				continue;
			commands[i].pid = 0;
			say(INIT_ENDED, commands[i].id, &value, NULL, 0);
		}
	}
}

int main(void)
{
	const struct rlimit no_core = { 0, 0 };
	struct signalfd_siginfo info;
	struct pollfd watched[2];
	sigset_t all;

	/* The death signal first: liblxc's own was lost when the ids changed. The monitor may have
	 * died before this line; then the supervisor closes the lifeline. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || prctl(PR_SET_DUMPABLE, 0) < 0 ||
	    syscall(SYS_close_range, INIT_LIFELINE + 1U, ~0U, 0) < 0 ||
	    fcntl(INIT_LIFELINE, F_SETFD, FD_CLOEXEC) < 0 || setrlimit(RLIMIT_CORE, &no_core) < 0)
		return EXIT_NO_FILTER;
	umask(022);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	watched[0] = (struct pollfd){ .fd = INIT_LIFELINE, .events = POLLIN };
	watched[1] = (struct pollfd){ .fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK),
				      .events = POLLIN };
	if (watched[1].fd < 0 || say(INIT_READY, 0, NULL, NULL, 0) < 0)
		return EXIT_NO_FILTER;

	for (;;) {
		if (poll(watched, ARRAY_SIZE(watched), -1) < 0 && errno != EINTR)
			return EXIT_NO_FILTER;
		while (read(watched[1].fd, &info, sizeof info) > 0)
			;
		reap();
		if (watched[0].revents && !handle_message())
			return 0;
	}
}
