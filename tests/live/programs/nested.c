/*
 * What a program does with namespaces of its own, or tries to. Runs inside a box.
 *
 * nested make            attempts every call that makes a namespace, by every way to call it
 * nested inside          the same in a user, pid, network and IPC namespace, and whatever a process
 *                        with all capabilities there could try further
 * nested network         in such a namespace: configures a network by netlink
 * nested beside N        makes user namespaces, one beside the other, as long as it can, at most N
 * nested below N         each within the last one
 *
 * The first three print a line for each attempt: its name, and an errno's name, "signal N" or
 * "done". The others print how many there were, and what came then.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof(*(a)))
#define X32	      0x40000000UL
#define UPPER	      0xdead00000000UL /* no part of an int */
#define SMALL	      0x1000

/* --- one attempt
 * -----------------------------------------------------------------------------------
 */

/* Runs it in a process of its own, and prints how it ended. */
static void attempt(const char *name, long (*try)(const void *), const void *what)
{
	pid_t child;
	int status;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		errno = 0;
		_exit(try(what) < 0 ? errno : 0);
	}
	if (child < 0 || waitpid(child, &status, 0) != child) {
		printf("%s broken\n", name);
		return;
	}
	if (WIFSIGNALED(status))
		printf("%s signal %d\n", name, WTERMSIG(status));
	else if (WEXITSTATUS(status))
		printf("%s %s\n", name, strerrorname_np(WEXITSTATUS(status)));
	else
		printf("%s done\n", name);
}

struct call {
	const char *name;
	unsigned long number, args[5];
};

static long call(const void *what)
{
	const struct call *c = what;
	long r = syscall((long)c->number, c->args[0], c->args[1], c->args[2], c->args[3],
			 c->args[4]);

	/* the child of a clone that nobody has refused */
	if (r == 0 && (c->number & ~X32) == SYS_clone)
		_exit(0);
	return r;
}

/* By the door of 32-bit programs. */
static long call_i386(const void *what)
{
	const struct call *c = what;
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(c->number), "b"(c->args[0]), "c"(0L), "d"(0L), "S"(0L), "D"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	errno = r < 0 ? (int)-r : 0;
	return r < 0 ? -1 : r;
}

static void attempt_calls(const struct call *calls, size_t n, long (*how)(const void *))
{
	for (size_t i = 0; i < n; i++)
		attempt(calls[i].name, how, &calls[i]);
}

/* --- making namespaces
 * -----------------------------------------------------------------------------
 */

#define EACH_WAY(kind, flag)                                                         \
	{ "clone-" kind, SYS_clone, { (flag) | SIGCHLD } },                          \
		{ "clone-" kind "-upper", SYS_clone, { (flag) | SIGCHLD | UPPER } }, \
		{ "unshare-" kind, SYS_unshare, { (flag) } },                        \
		{ "unshare-" kind "-upper", SYS_unshare, { (flag) | UPPER } },       \
		{ "x32-clone-" kind, SYS_clone | X32, { (flag) | SIGCHLD } },        \
	{                                                                            \
		"x32-unshare-" kind, SYS_unshare | X32,                              \
		{                                                                    \
			(flag)                                                       \
		}                                                                    \
	}

static const uint64_t clone3_user[8] = { CLONE_NEWUSER, [4] = SIGCHLD };

static const struct call user_calls[] = {
	EACH_WAY("user", CLONE_NEWUSER),
	EACH_WAY("user-pid", CLONE_NEWUSER | CLONE_NEWPID),
	EACH_WAY("user-net", CLONE_NEWUSER | CLONE_NEWNET),
	EACH_WAY("user-ipc", CLONE_NEWUSER | CLONE_NEWIPC),
	{ "clone3-user", SYS_clone3, { (unsigned long)clone3_user, sizeof clone3_user } },
	{ "x32-clone3-user", SYS_clone3 | X32, { (unsigned long)clone3_user, sizeof clone3_user } },
};

static const struct call other_calls[] = {
	EACH_WAY("mount", CLONE_NEWNS),
	EACH_WAY("user-mount", CLONE_NEWUSER | CLONE_NEWNS),
	EACH_WAY("user-uts", CLONE_NEWUSER | CLONE_NEWUTS),
	EACH_WAY("user-cgroup", CLONE_NEWUSER | CLONE_NEWCGROUP),
	{ "unshare-user-time", SYS_unshare, { CLONE_NEWUSER | 0x80 } },
	{ "unshare-time", SYS_unshare, { 0x80 } },
	{ "unshare-uts", SYS_unshare, { CLONE_NEWUTS } },
	{ "unshare-cgroup", SYS_unshare, { CLONE_NEWCGROUP } },
};

static const struct call i386_calls[] = {
	{ "i386-unshare-user", 310, { CLONE_NEWUSER } },
	{ "i386-unshare-mount", 310, { CLONE_NEWNS } },
	{ "i386-clone-user", 120, { CLONE_NEWUSER | SIGCHLD } },
};

static int attempt_to_make(void)
{
	attempt_calls(user_calls, ARRAY_SIZE(user_calls), call);
	attempt_calls(other_calls, ARRAY_SIZE(other_calls), call);
	attempt_calls(i386_calls, ARRAY_SIZE(i386_calls), call_i386);
	return 0;
}

/* --- in a namespace of one's own
 * -------------------------------------------------------------------
 */

static long write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 || write(fd, text, strlen(text)) < 0 ? -1 : 0;
}

struct setting {
	const char *name, *path, *text;
};

static long set(const void *what)
{
	const struct setting *s = what;

	return write_file(s->path, s->text);
}

static const struct setting settings[] = {
	{ "raise-user", "/proc/sys/user/max_user_namespaces", "1000" },
	{ "raise-mount", "/proc/sys/user/max_mnt_namespaces", "1000" },
	{ "raise-by-root", "/proc/self/root/proc/sys/user/max_user_namespaces", "1000" },
	{ "raise-by-init", "/proc/1/root/proc/sys/user/max_user_namespaces", "1000" },
	{ "forward", "/proc/sys/net/ipv4/ip_forward", "1" },
	{ "core-pattern", "/proc/sys/kernel/core_pattern", "x" },
};

/* A user namespace below, with a map that is not of one's own id. */
static long map_others(const void *what)
{
	(void)what;
	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	return write_file("/proc/self/uid_map", "0 1 1");
}

static long map_groups(const void *what)
{
	(void)what;
	if (unshare(CLONE_NEWUSER) < 0)
		return -1;
	return write_file("/proc/self/gid_map", "0 5 1");
}

static long join_of(const void *what)
{
	int fd = open(what, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : setns(fd, 0);
}

static long join_by_pidfd(const void *what)
{
	long fd = syscall(SYS_pidfd_open, getppid(), 0);

	(void)what;
	return fd < 0 ? -1 : setns((int)fd, CLONE_NEWUSER | CLONE_NEWNET);
}

/* Out of a new root, as far as it goes. EPERM: no further than the old one. */
static long leave_root(const void *what)
{
	struct stat before, after;
	int old = open("/", O_PATH | O_CLOEXEC);

	(void)what;
	if (old < 0 || stat("/", &before) < 0 || chroot("/tmp") < 0 || fchdir(old) < 0)
		return -1;
	for (int i = 0; i < 64; i++)
		if (chdir("..") < 0)
			return -1;
	if (chroot(".") < 0 || stat("/", &after) < 0)
		return -1;
	errno = EPERM;
	return before.st_dev == after.st_dev && before.st_ino == after.st_ino ? -1 : 0;
}

static long raise_limit(const void *what)
{
	struct rlimit limit;

	(void)what;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	limit.rlim_max++;
	return setrlimit(RLIMIT_NOFILE, &limit);
}

static long be_real_time(const void *what)
{
	const struct sched_param p = { .sched_priority = 1 };

	(void)what;
	return sched_setscheduler(0, SCHED_FIFO, &p);
}

static long make_device(const void *what)
{
	(void)what;
	return mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0));
}

/* An option or a request of a socket that exists. */
struct of_socket {
	const char *name;
	int family, type;
	unsigned long number, level, option; /* number: of the call */
};

static char buffer[4096];

static long use_socket(const void *what)
{
	const struct of_socket *s = what;
	int fd = socket(s->family, s->type | SOCK_CLOEXEC, 0);
	static uint32_t size = sizeof buffer;

	strcpy(buffer, "lo");
	if (fd < 0)
		return -1;
	if (s->number == SYS_ioctl)
		return syscall(SYS_ioctl, fd, s->option, buffer);
	return syscall((long)s->number, fd, s->level, s->option, buffer,
		       s->number == SYS_getsockopt ? (unsigned long)&size : SMALL);
}

/* clang-format off */
#define SET(name, family, type, level, option) { name, family, type, SYS_setsockopt, level, option }
#define GET(name, family, level, option) { name, family, SOCK_DGRAM, SYS_getsockopt, level, option }
#define REQUEST(name, request) { name, AF_INET, SOCK_DGRAM, SYS_ioctl, 0, request }

static const struct of_socket of_sockets[] = {
	SET("iptables",        AF_INET,  SOCK_DGRAM,  0,  64),
	SET("iptables-upper",  AF_INET,  SOCK_DGRAM,  0,  64 | UPPER),
	SET("iptables-level",  AF_INET,  SOCK_DGRAM,  0 | UPPER, 64),
	SET("arptables",       AF_INET,  SOCK_DGRAM,  0,  96),
	SET("ebtables",        AF_INET,  SOCK_DGRAM,  0,  128),
	SET("ipvs",            AF_INET,  SOCK_DGRAM,  0,  1154),
	SET("multicast-route", AF_INET,  SOCK_DGRAM,  0,  200),
	SET("ip-xfrm",         AF_INET,  SOCK_DGRAM,  0,  17),
	SET("ip-xfrm-upper",   AF_INET,  SOCK_DGRAM,  0,  17 | UPPER),
	SET("ip-ipsec",        AF_INET,  SOCK_DGRAM,  0,  16),
	SET("ip6tables",       AF_INET6, SOCK_DGRAM,  41, 64),
	SET("ip6tables-count", AF_INET6, SOCK_DGRAM,  41, 65),
	SET("ip6-xfrm",        AF_INET6, SOCK_DGRAM,  41, 35),
	SET("ip6-route",       AF_INET6, SOCK_DGRAM,  41, 200),
	SET("tcp-repair",      AF_INET,  SOCK_STREAM, 6,  19),
	SET("tcp-ulp",         AF_INET,  SOCK_STREAM, 6,  31),
	GET("iptables-info",   AF_INET,  0,  64),
	GET("iptables-list",   AF_INET,  0,  65),
	GET("ip6tables-info",  AF_INET6, 41, 64),
	GET("ip6tables-list",  AF_INET6, 41, 65),
	REQUEST("link-up",           0x8914),
	REQUEST("link-up-upper",     0x8914 | UPPER),
	REQUEST("link-address",      0x8916),
	REQUEST("link-name",         0x8923),
	REQUEST("link-hardware",     0x8924),
	REQUEST("link-mtu",          0x8922),
	REQUEST("link-group",        0x8931),
	REQUEST("link-ethtool",      0x8946),
	REQUEST("link-ethtool-upper", 0x8946 | UPPER),
	REQUEST("link-namespace",    0x894c),
	REQUEST("add-route",         0x890b),
	REQUEST("add-neighbour",     0x8955),
	REQUEST("add-bridge",        0x89a0),
	REQUEST("add-tunnel",        0x89f1),
	REQUEST("add-vlan",          0x8983),
	REQUEST("add-bond",          0x8990),
};

/* From here on a call stands for itself. */
static const struct call calls[] = {
	{ "raw-socket",       SYS_socket, { AF_INET, SOCK_RAW, 1 } },
	{ "raw-socket-flags", SYS_socket, { AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 17 } },
	{ "raw-socket-upper", SYS_socket, { AF_INET | UPPER, SOCK_RAW | UPPER, 1 } },
	{ "raw6-socket",      SYS_socket, { AF_INET6, SOCK_RAW, 58 } },
	{ "packet-type",      SYS_socket, { AF_INET, SOCK_PACKET, 0 } },
	{ "packet-type-upper", SYS_socket, { AF_INET | UPPER, SOCK_PACKET | UPPER, 3 } },
	{ "packet",           SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "packet-upper",     SYS_socket, { AF_PACKET | UPPER, SOCK_RAW, 0 } },
	{ "netfilter",        SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER } },
	{ "netfilter-upper",  SYS_socket, { AF_NETLINK | UPPER, SOCK_RAW, NETLINK_NETFILTER } },
	{ "netlink-xfrm",     SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_XFRM } },
	{ "netlink-generic",  SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_GENERIC } },
	{ "netlink-audit",    SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_AUDIT } },
	{ "key",              SYS_socket, { 15, SOCK_RAW, 2 } },
	{ "alg",              SYS_socket, { 38, SOCK_SEQPACKET, 0 } },
	{ "vsock",            SYS_socket, { 40, SOCK_STREAM, 0 } },
	{ "sctp",             SYS_socket, { AF_INET, SOCK_STREAM, 132 } },
	{ "smc",              SYS_socket, { 43, SOCK_STREAM, 0 } },
	{ "tipc",             SYS_socket, { 30, SOCK_DGRAM, 0 } },
	{ "rds",              SYS_socket, { 21, SOCK_SEQPACKET, 0 } },
	{ "mount",            SYS_mount, { (unsigned long)"none", (unsigned long)"/tmp", (unsigned long)"tmpfs" } },
	{ "mount-proc",       SYS_mount, { (unsigned long)"none", (unsigned long)"/tmp", (unsigned long)"proc" } },
	{ "mount-overlay",    SYS_mount, { (unsigned long)"none", (unsigned long)"/tmp", (unsigned long)"overlay", 0,
					   (unsigned long)"lowerdir=/usr:/etc" } },
	{ "bind",             SYS_mount, { (unsigned long)"/", (unsigned long)"/tmp", 0, 4096 } },
	{ "remount",          SYS_mount, { 0, (unsigned long)"/proc/sys", 0, 4096 | 32 } },
	{ "umount",           SYS_umount2, { (unsigned long)"/proc/sys", 2 } },
	{ "pivot-root",       SYS_pivot_root, { (unsigned long)"/tmp", (unsigned long)"/tmp" } },
	{ "fsopen",           SYS_fsopen, { (unsigned long)"tmpfs" } },
	{ "open-tree",        SYS_open_tree, { (unsigned long)AT_FDCWD, (unsigned long)"/", 1 } },
	{ "move-mount",       SYS_move_mount, { (unsigned long)AT_FDCWD, (unsigned long)"/tmp", (unsigned long)AT_FDCWD, (unsigned long)"/tmp" } },
	{ "mount-setattr",    442, { (unsigned long)AT_FDCWD, (unsigned long)"/", 0, (unsigned long)buffer, 32 } },
	{ "keyctl",           SYS_keyctl, { 0, (unsigned long)-3, 1 } },
	{ "add-key",          SYS_add_key, { (unsigned long)"user", (unsigned long)"x", (unsigned long)"x", 1, (unsigned long)-2 } },
	{ "bpf",              SYS_bpf, { 0, (unsigned long)buffer, 64 } },
	{ "perf",             SYS_perf_event_open, { (unsigned long)buffer, 0, (unsigned long)-1, (unsigned long)-1 } },
	{ "userfaultfd",      SYS_userfaultfd, { 1 } },
	{ "io-uring",         SYS_io_uring_setup, { 1, (unsigned long)buffer } },
	{ "ptrace",           SYS_ptrace, { 0 } },
	{ "kcmp",             SYS_kcmp, { 1, 1, 1 } },
	{ "pidfd-getfd",      438, { 0, 0, 0 } },
	{ "handle",           SYS_open_by_handle_at, { (unsigned long)AT_FDCWD, (unsigned long)buffer } },
	{ "fanotify",         SYS_fanotify_init, { 0x200 } },
	{ "host-name",        SYS_sethostname, { (unsigned long)"x", 1 } },
	{ "reboot",           SYS_reboot, { 0xfee1dead, 672274793, 0 } },
	{ "syslog",           SYS_syslog, { 10 } },
	{ "quota",            SYS_quotactl, { 0x800001UL << 8, 0, 0, (unsigned long)buffer } },
	{ "swap",             SYS_swapon, { (unsigned long)"/tmp/swap", 0 } },
	{ "accounting",       SYS_acct, { 0 } },
	{ "clock",            SYS_clock_settime, { 0, (unsigned long)buffer } },
	{ "module",           SYS_init_module, { (unsigned long)buffer, 1, (unsigned long)"" } },
	{ "kexec",            SYS_kexec_load, { 0, 0, 0, 0 } },
};
/* clang-format on */

static long ask_namespace(const void *what)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : syscall(SYS_ioctl, fd, *(const unsigned long *)what, 0);
}

static const unsigned long get_owner = NS_GET_USERNS;
static const unsigned long get_owner_upper = NS_GET_USERNS | UPPER;

/* The outermost calls that a sandbox may make are no attempts; all others must fail. */
static int attempt_inside(void)
{
	static const char *const joins[] = { "/proc/self/ns/user", "/proc/self/ns/net",
					     "/proc/self/ns/mnt", "/proc/1/ns/net" };

	attempt_calls(other_calls, ARRAY_SIZE(other_calls), call);
	attempt_calls(i386_calls, ARRAY_SIZE(i386_calls), call_i386);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		attempt(settings[i].name, set, &settings[i]);
	for (size_t i = 0; i < ARRAY_SIZE(joins); i++)
		attempt("join", join_of, joins[i]);
	for (size_t i = 0; i < ARRAY_SIZE(of_sockets); i++)
		attempt(of_sockets[i].name, use_socket, &of_sockets[i]);
	attempt_calls(calls, ARRAY_SIZE(calls), call);
	attempt("join-pidfd", join_by_pidfd, NULL);
	attempt("map-others", map_others, NULL);
	attempt("map-groups", map_groups, NULL);
	attempt("leave-root", leave_root, NULL);
	attempt("raise-limit", raise_limit, NULL);
	attempt("real-time", be_real_time, NULL);
	attempt("device", make_device, NULL);
	attempt("owner", ask_namespace, &get_owner);
	attempt("owner-upper", ask_namespace, &get_owner_upper);
	return 0;
}

/* Asks for a new link, and gives what the kernel answers. */
static long add_link(const void *what)
{
	struct {
		struct nlmsghdr header;
		struct ifinfomsg info;
		struct rtattr about, kind;
		char name[8];
	} request = {
		.header = { .nlmsg_len = sizeof request,
			    .nlmsg_type = RTM_NEWLINK,
			    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE },
		.about = { sizeof(struct rtattr) * 2 + 8, IFLA_LINKINFO },
		.kind = { sizeof(struct rtattr) + 8, IFLA_INFO_KIND },
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
	} answer = { 0 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	strcpy(request.name, what);
	if (fd < 0 || send(fd, &request, sizeof request, 0) < 0 ||
	    recv(fd, &answer, sizeof answer, 0) < 0)
		return -1;
	errno = -answer.error.error;
	return errno ? -1 : 0;
}

static int attempt_network(void)
{
	attempt("add-link", add_link, "bridge");
	return 0;
}

/* The map of a new namespace of this process: root inside is this id outside. */
static bool map_own(unsigned uid, unsigned gid)
{
	char users[64], groups[64];

	snprintf(users, sizeof users, "0 %u 1", uid);
	snprintf(groups, sizeof groups, "0 %u 1", gid);
	return write_file("/proc/self/setgroups", "deny") >= 0 &&
	       write_file("/proc/self/uid_map", users) >= 0 &&
	       write_file("/proc/self/gid_map", groups) >= 0;
}

/* Runs what follows as root of a new user namespace, the way browsers do. */
static int enter_and(int (*run)(void))
{
	unsigned uid = getuid(), gid = getgid();
	pid_t child;
	int status;

	child = (pid_t)syscall(SYS_clone,
			       CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | SIGCHLD,
			       NULL, NULL, NULL, NULL);
	if (child == 0) {
		if (!map_own(uid, gid)) {
			perror("map");
			_exit(1);
		}
		exit(run());
	}
	if (child < 0) {
		perror("clone");
		return 1;
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* --- how many
 * --------------------------------------------------------------------------------------
 */

static int tell(unsigned made, int error)
{
	printf("%u %s\n", made, error ? strerrorname_np(error) : "end");
	return 0;
}

static int make_beside(unsigned max)
{
	unsigned made;
	int error = 0;

	(void)setpgid(0, 0); /* to end the children, and nobody else */
	for (made = 0; made < max && !error; made++) {
		pid_t child = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL,
					     NULL);

		if (child == 0)
			for (;;)
				pause();
		if (child < 0) {
			error = errno;
			break;
		}
	}
	signal(SIGTERM, SIG_IGN);
	kill(0, SIGTERM);
	return tell(made, error);
}

static int make_below(unsigned max)
{
	unsigned made;

	for (made = 0; made < max; made++) {
		unsigned uid = getuid(), gid = getgid();

		if (unshare(CLONE_NEWUSER) < 0)
			return tell(made, errno);
		if (!map_own(uid, gid))
			return 1;
	}
	return tell(made, 0);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	unsigned n = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!strcmp(verb, "make"))
		return attempt_to_make();
	if (!strcmp(verb, "inside"))
		return enter_and(attempt_inside);
	if (!strcmp(verb, "network"))
		return enter_and(attempt_network);
	if (!strcmp(verb, "beside"))
		return make_beside(n);
	if (!strcmp(verb, "below"))
		return make_below(n);
	fprintf(stderr, "usage: nested make|inside|network|beside N|below N\n");
	return 2;
}
