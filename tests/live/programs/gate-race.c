/*
 * gate-race ROUNDS ONE OTHER file|directory TARGET SPARE
 *
 * One process swaps the names ONE and OTHER (a file or directory, and a link to something that must
 * not be reached) as fast as it can, another does with TARGET (the same as ONE, perhaps seen
 * through a gate) whatever could go wrong. What it may find begins with "mine". SPARE is a
 * directory beside TARGET to take new files from. Prints how often it got through and how often it
 * did not.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"

struct race {
	const char *target, *spare;
	unsigned round, through, refused, strange;
};

static void __attribute__((noreturn)) swap_forever(const char *one, const char *other)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		if (renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) < 0 &&
		    errno != ENOENT) {
			perror("gate-race: cannot swap");
			_exit(1);
		}
}

static void count(struct race *r, long value)
{
	if (value < 0)
		r->refused++;
	else
		r->through++;
}

static void look(struct race *r, const char *path, int flags)
{
	_cleanup_close_ int fd = open(path, flags | O_CLOEXEC);
	char data[16] = "";

	count(r, fd);
	if (fd < 0)
		return;
	if (read(fd, data, sizeof data - 1) > 0 && strncmp(data, "mine", 4) != 0) {
		printf("round %u read '%s'\n", r->round, data);
		r->strange++;
	}
	if (flags == O_RDWR)
		(void)!pwrite(fd, "mine too", 8, 0);
}

static void make_spare(const char *path)
{
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || write(fd, "mine new", 8) != 8)
		perror("gate-race: spare");
}

static void race_file(struct race *r)
{
	look(r, r->target, O_RDONLY);
	look(r, r->target, O_RDWR);
	look(r, r->target, O_RDWR | O_APPEND);
	count(r, truncate(r->target, 8));
	count(r, chmod(r->target, 0640));
	count(r, utimensat(AT_FDCWD, r->target, NULL, 0));
	count(r, access(r->target, W_OK));
}

static void race_directory(struct race *r)
{
	_cleanup_free_ char *file = xasprintf("%s/file", r->target);
	_cleanup_free_ char *fresh = xasprintf("%s/new", r->target);
	_cleanup_free_ char *dir = xasprintf("%s/dir", r->target);
	_cleanup_free_ char *link = xasprintf("%s/link", r->target);
	_cleanup_free_ char *spare = xasprintf("%s/spare", r->spare);
	_cleanup_close_ int fd = -EBADF;

	look(r, file, O_RDONLY);
	look(r, file, O_RDWR);
	count(r, truncate(file, 8));
	count(r, chmod(file, 0640));
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	count(r, fd);
	make_spare(spare);
	count(r, rename(spare, fresh));
	count(r, rename(fresh, spare));
	count(r, mkdir(dir, 0700));
	count(r, symlink("file", link));
	count(r, rmdir(dir));
	count(r, unlink(link));
	count(r, unlink(fresh));
	count(r, unlink(spare));
}

int main(int argc, char **argv)
{
	struct race r = { 0 };
	unsigned rounds;
	pid_t pid;
	bool file;

	if (argc != 7)
		return 2;
	rounds = (unsigned)strtoul(argv[1], NULL, 10);
	file = strcmp(argv[4], "file") == 0;
	r.target = argv[5];
	r.spare = argv[6];
	pid = fork();
	if (pid == 0)
		swap_forever(argv[2], argv[3]);
	for (r.round = 0; r.round < rounds; r.round++)
		(file ? race_file : race_directory)(&r);
	if (waitpid(pid, NULL, WNOHANG) != 0)
		return 2;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("through %u refused %u strange %u\n", r.through, r.refused, r.strange);
	return r.strange ? 1 : 0;
}
