/*
 * attempt wait: does nothing, until it is ended
 * attempt [NAME...]: attempts system calls that a confined program must not get through, all or the
 * named ones, each in a process of its own. Prints one line for each: its name, and how it ended:
 * an errno's name, "signal N", or "done".
 *
 * The arguments are as harmless as can be: a kernel that permits the call does nothing with them.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/io_uring.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static long make_mount(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static long bind_mount(void)
{
	return mount("/", "/tmp", NULL, MS_BIND, NULL);
}

static long remount_root(void)
{
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
}

static long unmount(void)
{
	return umount2("/tmp", MNT_DETACH);
}

static long new_mount_api(void)
{
	return syscall(SYS_fsopen, "tmpfs", 0);
}

static long copy_tree(void)
{
	return syscall(SYS_open_tree, AT_FDCWD, "/", 1 /* OPEN_TREE_CLONE */);
}

static long new_user_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static long new_mount_namespace(void)
{
	return unshare(CLONE_NEWNS);
}

static long new_net_namespace(void)
{
	return unshare(CLONE_NEWNET);
}

static long clone_user_namespace(void)
{
	long r = syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);

	if (r == 0)
		_exit(0);
	return r;
}

static long clone3_user_namespace(void)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	long r = syscall(SYS_clone3, &args, sizeof args);

	if (r == 0)
		_exit(0);
	return r;
}

static long join_namespace(void)
{
	return setns(open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC), CLONE_NEWNS);
}

static long pivot_root(void)
{
	return syscall(SYS_pivot_root, "/tmp", "/tmp");
}

static long change_root(void)
{
	return chroot("/tmp");
}

static long trace_parent(void)
{
	return ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static long trace_me(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long read_memory_of_parent(void)
{
	char byte;
	struct iovec here = { &byte, 1 }, there = { (void *)&environ, 1 };

	return process_vm_readv(getppid(), &here, 1, &there, 1, 0);
}

static long add_key(void)
{
	return syscall(SYS_add_key, "user", "vitrine", "x", 1, KEY_SPEC_PROCESS_KEYRING);
}

static long key_control(void)
{
	return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1);
}

static long request_key(void)
{
	return syscall(SYS_request_key, "user", "vitrine", NULL, 0);
}

static long load_bpf(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof attr);
}

static long set_up_io_uring(void)
{
	struct io_uring_params params = { 0 };

	return syscall(SYS_io_uring_setup, 1, &params);
}

static long open_perf_event(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof attr,
					.config = PERF_COUNT_SW_CPU_CLOCK,
					.exclude_kernel = 1,
					.exclude_hv = 1 };

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static long handle_page_faults(void)
{
	return syscall(SYS_userfaultfd, 1 /* UFFD_USER_MODE_ONLY */);
}

static long open_by_handle(void)
{
	struct {
		struct file_handle header;
		char room[MAX_HANDLE_SZ];
	} handle = { .header.handle_bytes = MAX_HANDLE_SZ };
	int mount_id;

	if (name_to_handle_at(AT_FDCWD, "/tmp", &handle.header, &mount_id, 0) < 0)
		return -1;
	return open_by_handle_at(AT_FDCWD, &handle.header, O_RDONLY);
}

static long load_module(void)
{
	return syscall(SYS_finit_module, -1, "", 0);
}

static long kernel_log(void)
{
	return syscall(SYS_syslog, 10 /* size of the buffer */, NULL, 0);
}

static long set_host_name(void)
{
	return sethostname("other", 5);
}

static long packet_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0);
}

static long raw_socket(void)
{
	return socket(AF_INET, SOCK_RAW, 255);
}

static long vsock_socket(void)
{
	return socket(AF_VSOCK, SOCK_STREAM, 0);
}

static long crypto_socket(void)
{
	return socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static long type_into_terminal(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC);
	char c = 'x';

	return ioctl(master, TIOCSTI, &c);
}

/* The other two tables of system calls, where a filter by number alone would be passed by. */
static long i386_call(void)
{
	long r = 20; /* getpid(2) there */

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	if (r >= 0)
		return r;
	errno = (int)-r;
	return -1;
}

static long x32_call(void)
{
	return syscall(0x40000000 | SYS_getpid);
}

static const struct attempt {
	const char *name;
	long (*call)(void);
} attempts[] = {
	{ "mount", make_mount },
	{ "bind-mount", bind_mount },
	{ "remount", remount_root },
	{ "umount", unmount },
	{ "fsopen", new_mount_api },
	{ "open_tree", copy_tree },
	{ "unshare-user", new_user_namespace },
	{ "unshare-mount", new_mount_namespace },
	{ "unshare-net", new_net_namespace },
	{ "clone-user", clone_user_namespace },
	{ "clone3-user", clone3_user_namespace },
	{ "setns", join_namespace },
	{ "pivot_root", pivot_root },
	{ "chroot", change_root },
	{ "ptrace-seize", trace_parent },
	{ "ptrace-traceme", trace_me },
	{ "process_vm_readv", read_memory_of_parent },
	{ "add_key", add_key },
	{ "keyctl", key_control },
	{ "request_key", request_key },
	{ "bpf", load_bpf },
	{ "io_uring", set_up_io_uring },
	{ "perf_event", open_perf_event },
	{ "userfaultfd", handle_page_faults },
	{ "open_by_handle_at", open_by_handle },
	{ "finit_module", load_module },
	{ "syslog", kernel_log },
	{ "sethostname", set_host_name },
	{ "socket-packet", packet_socket },
	{ "socket-raw", raw_socket },
	{ "socket-vsock", vsock_socket },
	{ "socket-alg", crypto_socket },
	{ "tiocsti", type_into_terminal },
	{ "i386", i386_call },
	{ "x32", x32_call },
};

static void report(const struct attempt *a)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		long r;

		errno = 0;
		r = a->call();
		printf("%s %s\n", a->name, r < 0 ? strerrorname_np(errno) : "done");
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		printf("%s not attempted\n", a->name);
	else if (WIFSIGNALED(status))
		printf("%s signal %d\n", a->name, WTERMSIG(status));
}

static int is_named(const char *name, char **names)
{
	for (; *names; names++)
		if (!strcmp(*names, name))
			return 1;
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "wait"))
		return pause();
	for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++)
		if (argc < 2 || is_named(attempts[i].name, argv + 1))
			report(&attempts[i]);
	return 0;
}
