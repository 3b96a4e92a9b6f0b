/*
 * vitrine-unpack DIRECTORY|DESCRIPTOR: extracts the tar on stdin (image/unpack.h) and writes
 * "ENTRIES BYTES DROPPED" lines on stdout as it goes; the last one is the result. A program of its
 * own, because it reads what may be hostile, and because libarchive is slow to load.
 *
 * Exit status: 0, 1 (refused or failed), 2 (usage), 3 (the archive ends too early).
 */

#include <fcntl.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/fs.h"
#include "base/parse.h"
#include "image/unpack.h"

#define EXIT_USAGE     2
#define EXIT_TRUNCATED 3

#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX    RLIM_INFINITY /* it maps terabytes that it does not use */
#define PROCESSES_MAX RLIM_INFINITY /* and looks for leaks with a thread */
#else
#define MEMORY_MAX    (1ULL << 30)
#define PROCESSES_MAX 0
#endif

static const struct {
	int resource;
	rlim_t limit;
} limits[] = {
	{ RLIMIT_AS, MEMORY_MAX },	    { RLIMIT_CORE, 0 },
	{ RLIMIT_FSIZE, UNPACK_BYTES_MAX }, { RLIMIT_NOFILE, 32 },
	{ RLIMIT_NPROC, PROCESSES_MAX },
};

static void say(const char *text)
{
	dprintf(STDERR_FILENO, "vitrine-unpack: %s\n", text);
}

static void print_progress(void *user, const struct unpack_stats *s)
{
	(void)user;
	dprintf(STDOUT_FILENO, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", s->entries, s->bytes,
		s->dropped);
}

static int drop_privileges(struct error **err)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return error_errno(err, "cannot give up privileges");
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		const struct rlimit l = { limits[i].limit, limits[i].limit };

		/* A lower limit that is there already is as good. */
		if (setrlimit(limits[i].resource, &l) < 0 && errno != EPERM)
			return error_errno(err, "cannot limit this process");
	}
	return 0;
}

static int open_target(const char *argument, int *ret_fd, struct error **err)
{
	uint32_t fd;

	if (parse_u32(argument, &fd) < 0)
		return fs_open_dir(AT_FDCWD, argument, ret_fd, err);
	if (fcntl((int)fd, F_SETFD, FD_CLOEXEC) < 0)
		return error_errno(err, "descriptor %s", argument);
	*ret_fd = (int)fd;
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *err = NULL;
	_cleanup_close_ int dir = -EBADF;
	struct unpack_stats stats;
	int r;

	if (argc != 2) {
		say("usage: vitrine-unpack DIRECTORY|DESCRIPTOR <TAR");
		return EXIT_USAGE;
	}
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive converts names of pax headers */
	r = drop_privileges(&err);
	if (r == 0)
		r = open_target(argv[1], &dir, &err);
	if (r == 0)
		r = unpack_tar(STDIN_FILENO, dir, print_progress, NULL, &stats, &err);
	if (r == 0)
		return EXIT_SUCCESS;
	say(err->message);
	return r == -ENODATA ? EXIT_TRUNCATED : EXIT_FAILURE;
}
