/*
 * vitrine-filter: POLICY in, compiled programs (emit/filter.h) out. Runs when vitrine is built, so
 * that nothing at run time needs libseccomp.
 */

#include <fcntl.h>
#include <stdio.h>

#include "base/fs.h"
#include "emit/seccomp.h"

static int translate(const char *from, const char *to, struct error **err)
{
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_free_ char *text = NULL;
	_cleanup_buf_ struct buf programs = { 0 };
	_cleanup_close_ int fd = -EBADF;
	size_t size;
	int r;

	r = fs_read(AT_FDCWD, from, POLICY_FILE_MAX, &text, &size, err);
	if (r < 0)
		return r;
	r = policy_read(text, size, from, &policy, err);
	if (r < 0)
		return r;
	r = seccomp_compile(policy, from, &programs, err);
	if (r < 0)
		return r;
	fd = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0)
		return error_errno(err, "cannot write '%s'", to);
	return fs_write_all(fd, programs.data, programs.size, err);
}

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (argc != 3) {
		fputs("usage: vitrine-filter POLICY FILE\n", stderr);
		return 2;
	}
	if (translate(argv[1], argv[2], &error) < 0) {
		fprintf(stderr, "vitrine-filter: %s\n", error->message);
		return 1;
	}
	return 0;
}
