/*
 * reach WAY FILE|PORT: tries to get what a file says, in one way that something should stand in.
 * Prints it (at most some hundred bytes), or the name of the error and where it came.
 *
 *   read FILE        opens it
 *   execute FILE     executes it
 *   change FILE      opens it for writing
 *   make FILE        makes it
 *   umount FILE      takes away the mount over it first
 *   mount FILE       below /proc: in a /proc of its own
 *   fsmount FILE     the same with fsopen(2)
 *   nested FILE      the same in a user namespace of its own
 *
 * These read it out of another process of the box, which has it as standard input; FILE is not
 * used:
 *
 *   process_vm_readv, ptrace, pidfd_getfd, mem
 *
 *   vsock PORT       from a server of the host (vsock(7))
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/vm_sockets.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE 512

static char text[SIZE + sizeof(long)];

static void __attribute__((noreturn)) fail(const char *what)
{
	printf("%s in %s\n", strerrorname_np(errno), what);
	exit(1);
}

static void __attribute__((noreturn)) show(void)
{
	fputs(text, stdout);
	exit(0);
}

static void read_from(int fd)
{
	if (fd < 0)
		fail("open");
	if (read(fd, text, SIZE - 1) < 0)
		fail("read");
}

static void by_open(const char *file)
{
	read_from(open(file, O_RDONLY));
}

static void by_execution(const char *file)
{
	execl(file, file, (char *)NULL);
	fail("execve");
}

static void by_writing(const char *file)
{
	if (open(file, O_WRONLY) < 0)
		fail("open");
	strcpy(text, "open for writing\n");
}

static void by_making(const char *file)
{
	if (open(file, O_WRONLY | O_CREAT | O_EXCL, 0600) < 0)
		fail("open");
	strcpy(text, "made\n");
}

static void by_umount(const char *file)
{
	if (umount2(file, MNT_DETACH) < 0)
		fail("umount2");
	by_open(file);
}

static const char *beneath_proc(const char *file)
{
	return strncmp(file, "/proc/", 6) ? file : file + 6;
}

static void by_mount(const char *file)
{
	char path[SIZE];

	if (mkdir("/tmp/proc", 0700) < 0)
		fail("mkdir");
	if (mount("proc", "/tmp/proc", "proc", 0, NULL) < 0)
		fail("mount");
	snprintf(path, sizeof path, "/tmp/proc/%s", beneath_proc(file));
	by_open(path);
}

static void by_fsmount(const char *file)
{
	int fs = fsopen("proc", 0), fd;

	if (fs < 0)
		fail("fsopen");
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		fail("fsconfig");
	fd = fsmount(fs, 0, 0);
	if (fd < 0)
		fail("fsmount");
	read_from(openat(fd, beneath_proc(file), O_RDONLY));
}

static void by_nesting(const char *file)
{
	int status;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID) < 0)
		fail("unshare");
	if (fork() == 0) {
		by_mount(file);
		show();
	}
	wait(&status);
	exit(WEXITSTATUS(status));
}

/* A process that has it in its memory and in a nameless file, and lets everybody trace it who may
 * at all (prctl(2)). */
static void __attribute__((noreturn)) hold(int ready)
{
	int fd = memfd_create("held", 0);
	ssize_t n = read(STDIN_FILENO, text, SIZE - 1);

	prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (n > 0 && write(fd, text, (size_t)n) == n && dup2(fd, STDIN_FILENO) == STDIN_FILENO)
		(void)!write(ready, "r", 1);
	close(ready);
	for (;;)
		pause();
}

static pid_t start_holder(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	if (pipe(ready) < 0)
		fail("pipe");
	pid = fork();
	if (pid == 0)
		hold(ready[1]);
	close(STDIN_FILENO);
	close(ready[1]);
	errno = 0;
	if (read(ready[0], &byte, 1) != 1)
		fail("the holder");
	return pid;
}

static void by_reading_memory(const char *file)
{
	struct iovec here = { text, SIZE - 1 };
	pid_t pid = start_holder();

	(void)file;
	if (process_vm_readv(pid, &here, 1, &here, 1, 0) < 0)
		fail("process_vm_readv");
}

static void by_tracing(const char *file)
{
	pid_t pid = start_holder();

	(void)file;
	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0)
		fail("ptrace");
	waitpid(pid, NULL, 0);
	for (size_t at = 0; at < SIZE - 1; at += sizeof(long)) {
		long word = ptrace(PTRACE_PEEKDATA, pid, text + at, NULL);

		memcpy(text + at, &word, sizeof word);
	}
}

static void by_taking_descriptor(const char *file)
{
	int pidfd = (int)syscall(SYS_pidfd_open, start_holder(), 0), fd;

	(void)file;
	if (pidfd < 0)
		fail("pidfd_open");
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, STDIN_FILENO, 0);
	if (fd < 0)
		fail("pidfd_getfd");
	if (pread(fd, text, SIZE - 1, 0) < 0)
		fail("pread");
}

static void by_memory_file(const char *file)
{
	char path[64];
	int fd;

	(void)file;
	snprintf(path, sizeof path, "/proc/%d/mem", start_holder());
	fd = open(path, O_RDONLY);
	if (fd < 0)
		fail("open");
	if (pread(fd, text, SIZE - 1, (off_t)(unsigned long)text) < 0)
		fail("pread");
}

static void by_vsock(const char *port)
{
	struct sockaddr_vm server = { .svm_family = AF_VSOCK,
				      .svm_cid = VMADDR_CID_LOCAL,
				      .svm_port = (unsigned)strtoul(port, NULL, 10) };
	int fd = socket(AF_VSOCK, SOCK_STREAM, 0);

	if (fd < 0)
		fail("socket");
	if (connect(fd, (const struct sockaddr *)&server, sizeof server) < 0)
		fail("connect");
	read_from(fd);
}

static const struct {
	const char *name;
	void (*go)(const char *file);
} ways[] = {
	{ "read", by_open },
	{ "execute", by_execution },
	{ "change", by_writing },
	{ "make", by_making },
	{ "umount", by_umount },
	{ "mount", by_mount },
	{ "fsmount", by_fsmount },
	{ "nested", by_nesting },
	{ "process_vm_readv", by_reading_memory },
	{ "ptrace", by_tracing },
	{ "pidfd_getfd", by_taking_descriptor },
	{ "mem", by_memory_file },
	{ "vsock", by_vsock },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof ways / sizeof *ways; i++)
		if (!strcmp(argv[1], ways[i].name)) {
			ways[i].go(argc > 2 ? argv[2] : "");
			show();
		}
	fputs("no such way\n", stderr);
	return 2;
}
