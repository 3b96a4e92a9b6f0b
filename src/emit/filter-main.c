/*
 * vitrine-filter: a policy in, compiled programs (emit/filter.h) out. The only program that has
 * libseccomp.
 *
 *   vitrine-filter FILE.policy OUTPUT    when vitrine is built; what it includes lies beside it
 *   vitrine-filter                       at run time: a whole policy from standard input to
 *                                        standard output
 *   vitrine-filter --numbers             the same, but the numbers of its calls (emit/watch.h)
 */

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "emit/policy-load.h"
#include "emit/policy-read.h"
#include "emit/seccomp.h"

#define SUFFIX ".policy"

static int load(const char *path, struct policy **ret, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(path), *name = xstrdup(basename(copy));
	_cleanup_close_ int directory = -EBADF;
	char *suffix = strrchr(name, '.');
	int r;

	if (!suffix || strcmp(suffix, SUFFIX))
		return error_set(err, EINVAL, "'%s' is not named NAME" SUFFIX, path);
	*suffix = '\0';
	strcpy(copy, path);
	r = fs_open_dir(AT_FDCWD, dirname(copy), &directory, err);
	return r < 0 ? r : policy_load(directory, name, ret, err);
}

static int translate_file(const char *from, const char *to, struct error **err)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_buf_ struct buf programs = { 0 };
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = load(from, &policy, err);
	if (r >= 0)
		r = seccomp_compile(policy, &programs, err);
	if (r < 0)
		return r;
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_errno(err, "cannot write '%s'", to);
	return fs_write_all(fd, programs.data, programs.size, err);
}

static int translate(bool numbers, struct error **err)
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
		r = numbers ? seccomp_number(policy, &programs, err)
			    : seccomp_compile(policy, &programs, err);
	return r < 0 ? r : fs_write_all(STDOUT_FILENO, programs.data, programs.size, err);
}

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *error = NULL;
	bool numbers = argc == 2 && !strcmp(argv[1], "--numbers");
	int r;

	if (argc != 1 && argc != 3 && !numbers) {
		fputs("usage: vitrine-filter [--numbers | POLICY FILE]\n", stderr);
		return 2;
	}
	r = argc != 3 ? translate(numbers, &error) : translate_file(argv[1], argv[2], &error);
	if (r < 0) {
		fprintf(stderr, "vitrine-filter: %s\n", error->message);
		return 1;
	}
	return 0;
}
