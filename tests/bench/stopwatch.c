/*
 * The stopwatch of the start benchmark: starts one command at a time, and tells when it was called,
 * when its process had ended, and what the stamp (stamp.c) in its output says.
 *
 * A request on stdin is a list of strings that end with NUL: the file that the command gets as
 * descriptor FILTER_FD (or "-"), the words of the command, and an empty string. The answer is one
 * line on stdout: call, end and stamp in nanoseconds of CLOCK_MONOTONIC (0: there is none), and the
 * exit code. stderr goes to the command.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILTER_FD   9
#define WORDS_MAX   128
#define OUTPUT_MAX  65536
#define TIMEOUT_MS  30000
#define STAMP_LABEL "stamp="

static char output[OUTPUT_MAX + 1];
static size_t output_size;

static void __attribute__((noreturn)) die(const char *what)
{
	perror(what);
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* The next string of the request; NULL at the end of input. */
static char *next_string(void)
{
	char *s = NULL;
	size_t room = 0;

	if (getdelim(&s, &room, '\0', stdin) >= 0)
		return s;
	free(s);
	return NULL;
}

/* The words of one command; the caller frees each. False at the end of input. */
static bool read_request(char *words[WORDS_MAX])
{
	size_t n = 0;
	char *s;

	while ((s = next_string()) && *s && n < WORDS_MAX - 1)
		words[n++] = s;
	free(s);
	words[n] = NULL;
	return n >= 2;
}

static pid_t start(char *const *command, const char *filter, int out)
{
	extern char **environ;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	if (strcmp(filter, "-"))
		posix_spawn_file_actions_addopen(&actions, FILTER_FD, filter, O_RDONLY, 0);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	r = posix_spawnp(&pid, command[0], &actions, &attributes, command, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (r == 0)
		return pid;
	errno = r;
	perror(command[0]);
	return -1;
}

/* Takes what is there; false when nothing more will come. */
static bool collect(int fd)
{
	ssize_t n = read(fd, output + output_size, OUTPUT_MAX - output_size);

	if (n > 0)
		output_size += (size_t)n;
	return n > 0;
}

/* Until the process has ended; it is not reaped yet. */
static void watch(pid_t pid, int out)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = out, .events = POLLIN },
	};
	int64_t deadline = now_ns() + (int64_t)TIMEOUT_MS * 1000000;

	if (pidfd < 0)
		die("pidfd_open");
	while (!p[0].revents) {
		if (now_ns() > deadline || poll(p, 2, TIMEOUT_MS) <= 0)
			kill(-pid, SIGKILL);
		if (p[1].revents && !collect(out))
			p[1].fd = -1;
	}
	close(pidfd);
}

/* The digits after the label; "0" where there is no stamp. */
static void print_stamp(void)
{
	const char *stamp;

	output[output_size] = '\0';
	stamp = strstr(output, STAMP_LABEL);
	stamp = stamp ? stamp + strlen(STAMP_LABEL) : "0";
	printf("%.*s", (int)strspn(stamp, "0123456789"), stamp);
}

static void measure(char *const *command, const char *filter)
{
	int64_t call, end = 0;
	int out[2], status = 127 << 8;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0 || fcntl(out[0], F_SETFL, O_NONBLOCK) < 0)
		die("pipe");
	output_size = 0;
	call = now_ns();
	pid = start(command, filter, out[1]);
	close(out[1]);
	if (pid > 0) {
		watch(pid, out[0]);
		end = now_ns();
		waitpid(pid, &status, 0);
		while (collect(out[0]))
			;
	}
	close(out[0]);
	printf("%" PRId64 " %" PRId64 " ", call, end);
	print_stamp();
	printf(" %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

int main(void)
{
	char *words[WORDS_MAX];

	while (read_request(words)) {
		measure(words + 1, words[0]);
		fflush(stdout);
		for (char **w = words; *w; w++)
			free(*w);
	}
	return 0;
}
