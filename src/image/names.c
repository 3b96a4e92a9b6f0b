#include "image/names.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"

bool name_has_suffix(const char *name, const char *suffix)
{
	size_t n = strlen(name), m = strlen(suffix);

	return n > m && !strcmp(name + n - m, suffix);
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int names_in(int dirfd, const char *path, names_fn *wanted, char ***ret, struct error **err)
{
	_cleanup_close_ int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	char **names = NULL;
	size_t n = 0;
	struct dirent *e;

	if (!d)
		return error_errno(err, "cannot list '%s'", path);
	(void)TAKE_FD(fd); /* belongs to d */
	while ((e = readdir(d))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || !wanted(e->d_name))
			continue;
		if (!(n & (n - 1))) /* room for twice as many, and the end */
			names = xreallocarray(names, 2 * n + 2, sizeof *names);
		names[n++] = xstrdup(e->d_name);
	}
	if (names) {
		names[n] = NULL;
		qsort(names, n, sizeof *names, by_name);
	}
	*ret = names;
	return 0;
}
