/*
 * vitrine-unpack: image/unpack.h as a program of its own, because it reads what may be hostile, and
 * because libarchive is slow to load.
 */

#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <stdio.h>
#include <sys/resource.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/parse.h"
#include "image/confine.h"
#include "image/index-line.h"
#include "image/unpack.h"

#define EXIT_USAGE 2

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

static void print_implied(void *user, const char *name)
{
	_cleanup_buf_ struct buf line = { 0 };

	(void)user;
	index_escape(&line, name);
	dprintf(STDOUT_FILENO, UNPACK_IMPLIED "%s\n", line.data);
}

struct call {
	struct unpack_options options;
	bool recognise;
	const char *directory;
};

static int set_limits(struct error **err)
{
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

static bool read_call(int argc, char **argv, struct call *c)
{
	static const struct option rows[] = {
		{ "compressed", no_argument, NULL, 'c' },
		{ "implied", no_argument, NULL, 'i' },
		{ "layer", no_argument, NULL, 'l' },
		{ "newest", required_argument, NULL, 'n' },
		{ "recognise", no_argument, NULL, 'r' },
		{ 0 },
	};
	int o;

	opterr = 0;
	while ((o = getopt_long(argc, argv, "", rows, NULL)) >= 0) {
		switch (o) {
		case 'c':
			c->options.compressed = true;
			break;
		case 'i':
			c->options.implied = print_implied;
			break;
		case 'l':
			c->options.layer = true;
			break;
		case 'r':
			c->recognise = true;
			break;
		case 'n':
			if (parse_u64(optarg, &c->options.newest) < 0)
				return false;
			break;
		default:
			return false;
		}
	}
	c->directory = argv[optind];
	return argc - optind == !c->recognise;
}

static int recognise(const struct call *c, struct error **err)
{
	enum archive_kind kind;
	int r;

	r = confine_beneath(-1, err);
	if (r == 0)
		r = unpack_recognise(STDIN_FILENO, c->options.compressed, &kind, err);
	if (r == 0)
		dprintf(STDOUT_FILENO, "%s\n", archive_kind_to_string(kind));
	return r;
}

static int extract(const struct call *c, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	struct unpack_stats stats;
	int r;

	r = open_target(c->directory, &dir, err);
	if (r == 0)
		r = confine_beneath(dir, err);
	if (r == 0)
		r = unpack_tar(STDIN_FILENO, dir, &c->options, print_progress, NULL, &stats, err);
	return r;
}

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *err = NULL;
	struct call call = { .options.newest = EXTRACT_TIME_MAX };
	int r;

	if (!read_call(argc, argv, &call)) {
		say("usage: vitrine-unpack [--layer [--implied]] [--compressed] "
		    "[--newest SECONDS] DIRECTORY|DESCRIPTOR <TAR");
		return EXIT_USAGE;
	}
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* libarchive converts names of pax headers */
	r = set_limits(&err);
	if (r == 0)
		r = call.recognise ? recognise(&call, &err) : extract(&call, &err);
	if (r == 0)
		return EXIT_SUCCESS;
	say(err->message);
	return r == -ENODATA ? UNPACK_TRUNCATED : EXIT_FAILURE;
}
