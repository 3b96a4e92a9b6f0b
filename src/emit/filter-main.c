/*
 * vitrine-filter: POLICY in, compiled programs (emit/filter.h) out; or with --numbers its rules
 * with the numbers of their calls (emit/watch.h). Runs when vitrine is built, so that nothing at
 * run time needs libseccomp.
 */

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "emit/policy-load.h"
#include "emit/policy-read.h"
#include "emit/seccomp.h"

/* Appends the numbered rules instead. */
static int number(const struct policy *policy, const char *file, struct buf *ret,
		  struct error **err)
{
	_cleanup_(watch_policy_release) struct watch_policy numbered = { 0 };
	int r = seccomp_number(policy, file, &numbered, err);

	if (r >= 0)
		watch_policy_write(&numbered, ret);
	return r;
}

static int translate(bool watched, const char *from, const char *to, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(path), *name = xstrdup(basename(copy));
	_cleanup_close_ int directory = -EBADF;
	char *suffix = strrchr(name, '.');
	int r;

	r = fs_read(AT_FDCWD, from, POLICY_FILE_MAX, &text, &size, err);
	if (r < 0)
		return r;
	r = policy_read(text, size, from, &policy, err);
	if (r < 0)
		return r;
	r = watched ? number(policy, from, &programs, err)
		    : seccomp_compile(policy, from, &programs, err);
	if (r < 0)
		return r;
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_errno(err, "cannot write '%s'", to);
	return fs_write_all(fd, programs.data, programs.size, err);
}

static int translate(struct error **err)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf programs = { 0 };
	size_t size;
	int r;

	r = fs_read_fd(STDIN_FILENO, POLICY_FILE_MAX, &text, &size, err);
	if (r >= 0)
		r = policy_read(text, size, "policy", NULL, &policy, err);
	if (r >= 0)
		r = seccomp_compile(policy, &programs, err);
	return r < 0 ? r : fs_write_all(STDOUT_FILENO, programs.data, programs.size, err);
}

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *error = NULL;
	bool watched = argc == 4 && !strcmp(argv[1], "--numbers");

	if (argc != 3 && !watched) {
		fputs("usage: vitrine-filter [--numbers] POLICY FILE\n", stderr);
		return 2;
	}
	if (translate(watched, argv[argc - 2], argv[argc - 1], &error) < 0) {
		fprintf(stderr, "vitrine-filter: %s\n", error->message);
		return 1;
	}
	return 0;
}
