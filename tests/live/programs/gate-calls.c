/*
 * gate-calls CALL PATH [PATH]    one system call; prints "done", or the name of its error
 * gate-calls names               the names of all calls
 * gate-calls holes PATH          prints where data is: "FIRST-END" for each piece
 * gate-calls hold PATH [rw]      opens, reads and maps a file and prints "ready"; then, for each
 * line of standard input, what has become of it: "map SIGBUS ... pread EIO ..."
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <linux/fs.h>
#include <unistd.h>

#include "base/alloc.h"

#define PAGE 4096

typedef long call_fn(const char *path, const char *other);

static long open_with(const char *path, int flags)
{
	_cleanup_close_ int fd = open(path, flags | O_CLOEXEC, 0644);

	return fd < 0 ? -1 : 0;
}

static long call_access_write(const char *path, const char *other)
{
	(void)other;
	return access(path, W_OK);
}

static long call_append(const char *path, const char *other)
{
	(void)other;
	return open_with(path, O_WRONLY | O_APPEND);
}

static long call_chmod(const char *path, const char *other)
{
	(void)other;
	return chmod(path, 0666);
}

static long call_chown(const char *path, const char *other)
{
	(void)other;
	return chown(path, getuid(), getgid());
}

static long call_connect(const char *path, const char *other)
{
	_cleanup_close_ int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)other;
	memcpy(a.sun_path, path, strnlen(path, sizeof a.sun_path - 1));
	return connect(fd, (struct sockaddr *)&a, sizeof a);
}

static long call_create(const char *path, const char *other)
{
	(void)other;
	return open_with(path, O_WRONLY | O_CREAT | O_EXCL);
}

static long call_exchange(const char *path, const char *other)
{
	return renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_EXCHANGE);
}

static long call_fchmod(const char *path, const char *other)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)other;
	return fd < 0 ? -1 : fchmod(fd, 0666);
}

static long call_futimens(const char *path, const char *other)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	(void)other;
	return fd < 0 ? -1 : futimens(fd, NULL);
}

static long call_getxattr(const char *path, const char *other)
{
	char value[16];

	(void)other;
	return lgetxattr(path, "user.test", value, sizeof value);
}

static long call_link(const char *path, const char *other)
{
	return link(path, other);
}

static long call_list(const char *path, const char *other)
{
	DIR *dir = opendir(path);
	long r = -1;

	(void)other;
	if (!dir)
		return -1;
	errno = 0;
	while (readdir(dir))
		;
	r = errno ? -1 : 0;
	(void)closedir(dir);
	return r;
}

static long call_mkdir(const char *path, const char *other)
{
	(void)other;
	return mkdir(path, 0755);
}

static long call_mkfifo(const char *path, const char *other)
{
	(void)other;
	return mkfifo(path, 0666);
}

static long call_mknod(const char *path, const char *other)
{
	(void)other;
	return mknod(path, S_IFREG | 0644, 0);
}

static long call_noreplace(const char *path, const char *other)
{
	return renameat2(AT_FDCWD, path, AT_FDCWD, other, RENAME_NOREPLACE);
}

static long call_open(const char *path, const char *other)
{
	(void)other;
	return open_with(path, O_RDONLY);
}

static long call_open_both(const char *path, const char *other)
{
	(void)other;
	return open_with(path, O_RDWR);
}

static long call_open_create(const char *path, const char *other)
{
	(void)other;
	return open_with(path, O_RDWR | O_CREAT);
}

static long call_open_truncate(const char *path, const char *other)
{
	(void)other;
	return open_with(path, O_RDONLY | O_TRUNC);
}

static long call_readlink(const char *path, const char *other)
{
	char text[PAGE];

	(void)other;
	return readlink(path, text, sizeof text);
}

static long call_rename(const char *path, const char *other)
{
	return rename(path, other);
}

static long call_rmdir(const char *path, const char *other)
{
	(void)other;
	return rmdir(path);
}

static long call_set_flags(const char *path, const char *other)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	int flags = FS_NODUMP_FL;

	(void)other;
	return fd < 0 ? -1 : ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static long call_setxattr(const char *path, const char *other)
{
	(void)other;
	return lsetxattr(path, "user.test", "x", 1, 0);
}

static long call_stat(const char *path, const char *other)
{
	struct stat st;

	(void)other;
	return lstat(path, &st);
}

static long call_statfs(const char *path, const char *other)
{
	struct statfs st;

	(void)other;
	return statfs(path, &st);
}

static long call_symlink(const char *path, const char *other)
{
	return symlink(other, path);
}

static long call_tmpfile(const char *path, const char *other)
{
	(void)other;
	return open_with(path, O_RDWR | O_TMPFILE);
}

static long call_truncate(const char *path, const char *other)
{
	(void)other;
	return truncate(path, 1);
}

/* More than any file can be. */
static long call_truncate_huge(const char *path, const char *other)
{
	(void)other;
	return truncate(path, INT64_C(1) << 62);
}

static long call_unlink(const char *path, const char *other)
{
	(void)other;
	return unlink(path);
}

static long call_utimens(const char *path, const char *other)
{
	(void)other;
	return utimensat(AT_FDCWD, path, NULL, AT_SYMLINK_NOFOLLOW);
}

static long call_write(const char *path, const char *other)
{
	(void)other;
	return open_with(path, O_WRONLY);
}

static const struct {
	const char *name;
	call_fn *call;
} calls[] = {
	{ "access-write", call_access_write },
	{ "append", call_append },
	{ "chmod", call_chmod },
	{ "chown", call_chown },
	{ "connect", call_connect },
	{ "create", call_create },
	{ "exchange", call_exchange },
	{ "fchmod", call_fchmod },
	{ "futimens", call_futimens },
	{ "getxattr", call_getxattr },
	{ "link", call_link },
	{ "list", call_list },
	{ "mkdir", call_mkdir },
	{ "mkfifo", call_mkfifo },
	{ "mknod", call_mknod },
	{ "noreplace", call_noreplace },
	{ "open", call_open },
	{ "open-both", call_open_both },
	{ "open-create", call_open_create },
	{ "open-truncate", call_open_truncate },
	{ "readlink", call_readlink },
	{ "rename", call_rename },
	{ "rmdir", call_rmdir },
	{ "set-flags", call_set_flags },
	{ "setxattr", call_setxattr },
	{ "stat", call_stat },
	{ "statfs", call_statfs },
	{ "symlink", call_symlink },
	{ "tmpfile", call_tmpfile },
	{ "truncate", call_truncate },
	{ "truncate-huge", call_truncate_huge },
	{ "unlink", call_unlink },
	{ "utimens", call_utimens },
	{ "write", call_write },
};

static const char *said(long r)
{
	return r < 0 ? strerrorname_np(errno) : "done";
}

static int one_call(const char *name, const char *path, const char *other)
{
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
		if (strcmp(calls[i].name, name) == 0) {
			printf("%s\n", said(calls[i].call(path, other)));
			return 0;
		}
	return 2;
}

static int print_holes(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t at = 0, end;

	if (fd < 0)
		return 1;
	while ((at = lseek(fd, at, SEEK_DATA)) >= 0) {
		end = lseek(fd, at, SEEK_HOLE);
		printf("%lld-%lld\n", (long long)at, (long long)end);
		at = end;
	}
	return errno == ENXIO ? 0 : 1;
}

static sigjmp_buf after_fault;

static void on_fault(int signal)
{
	siglongjmp(after_fault, signal);
}

/* The first page was read before, the second was not. */
static const char *touch(const volatile char *p)
{
	int signal = sigsetjmp(after_fault, 1);

	if (signal)
		return signal == SIGBUS ? "SIGBUS" : "SIGSEGV";
	(void)*p;
	return "done";
}

static int hold(const char *path, bool writable)
{
	_cleanup_close_ int fd = open(path, (writable ? O_RDWR : O_RDONLY) | O_CLOEXEC);
	char line[64], data[PAGE];
	struct stat st;
	char *p;

	if (fd < 0 || pread(fd, data, PAGE, 0) < 0)
		return 1;
	p = mmap(NULL, 64 * PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED || strcmp(touch(p), "done") != 0)
		return 1;
	signal(SIGBUS, on_fault);
	signal(SIGSEGV, on_fault);
	printf("ready\n");
	fflush(stdout);
	while (fgets(line, sizeof line, stdin)) {
		printf("map %s ", touch(p));
		printf("map-later %s ", touch(p + 48 * PAGE));
		printf("pread %s ", said(pread(fd, data, PAGE, 0)));
		printf("later %s ", said(pread(fd, data, PAGE, 32 * PAGE)));
		if (writable)
			printf("write %s ", said(pwrite(fd, "x", 1, 0)));
		printf("stat %s\n", said(fstat(fd, &st)));
		/* Writing may have dropped the pages. */
		(void)touch(p);
		(void)touch(p + 48 * PAGE);
		fflush(stdout);
	}
	return 0;
}

static const struct {
	uint32_t mask;
	const char *name;
} events[] = {
	{ IN_ATTRIB, "attrib" }, { IN_CLOSE_WRITE, "written" }, { IN_CREATE, "create" },
	{ IN_DELETE, "delete" }, { IN_MODIFY, "modify" },	{ IN_MOVED_FROM, "from" },
	{ IN_MOVED_TO, "to" },
};

static int watch(const char *path)
{
	_cleanup_close_ int fd = inotify_init1(IN_CLOEXEC);
	union {
		struct inotify_event first;
		char room[PAGE];
	} data;
	ssize_t n;

	if (inotify_add_watch(fd, path, IN_ALL_EVENTS) < 0)
		return 1;
	printf("ready\n");
	fflush(stdout);
	while ((n = read(fd, &data, sizeof data)) > 0) {
		for (char *p = data.room; p < data.room + n;) {
			const struct inotify_event *e = (const struct inotify_event *)p;

			for (size_t i = 0; i < ARRAY_SIZE(events); i++)
				if (e->mask & events[i].mask)
					printf("%s %s\n", events[i].name, e->len ? e->name : "");
			p += sizeof *e + e->len;
		}
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "watch") == 0)
		return watch(argv[2]);
	if (argc == 2 && strcmp(argv[1], "names") == 0) {
		for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
			printf("%s\n", calls[i].name);
		return 0;
	}
	if (argc == 3 && strcmp(argv[1], "holes") == 0)
		return print_holes(argv[2]);
	if (argc >= 3 && strcmp(argv[1], "hold") == 0)
		return hold(argv[2], argc == 4);
	return argc >= 3 ? one_call(argv[1], argv[2], argc > 3 ? argv[3] : "") : 2;
}
