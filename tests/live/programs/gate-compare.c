/* Are three directories alike? */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "gate-model.h"

#define APART_S 5 /* between the same operation on both */
#define CHUNK	(128 << 10)
#define SIDES	3

static const char *const sides[SIDES] = { "inside", "outside", "plain" };

bool times_agree(const struct timespec *a, const struct timespec *b)
{
	return llabs((long long)a->tv_sec - (long long)b->tv_sec) <= APART_S;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "dNAME", "-NAME", "lNAME": sorted. -errno if it cannot be listed. */
static int read_names(int dirfd, const char *path, char ***ret)
{
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	char **v = NULL;
	struct dirent *e;

	if (!dir)
		return -errno;
	for (errno = 0; (e = readdir(dir)); errno = 0) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		strv_addf(&v, "%c%s",
			  e->d_type == DT_DIR	? 'd'
			  : e->d_type == DT_REG ? '-'
			  : e->d_type == DT_LNK ? 'l'
						: '?',
			  e->d_name);
	}
	if (errno) {
		int r = -errno;

		strv_free(v);
		closedir(dir);
		return r;
	}
	closedir(dir);
	if (v)
		qsort(v, strv_length(v), sizeof *v, by_bytes);
	*ret = v;
	return 0;
}

void list_directory(int dirfd, const char *path, struct outcome *ret)
{
	_cleanup_strv_ char **v = NULL;
	int r = read_names(dirfd, path, &v);

	ret->value = r < 0 ? -1 : (int64_t)strv_length(v);
	ret->error = r < 0 ? -r : 0;
	for (char **s = v; s && *s; s++)
		ret->data = hash_add(ret->data, *s, strlen(*s));
}

static bool differ(const char *path, const char *what, int side)
{
	printf("trees differ: '");
	print_escaped(path);
	printf("': %s of %s and inside\n", what, sides[side]);
	return false;
}

static bool stats_agree(const char *path, const struct stat *a, const struct stat *b, int side)
{
	if (a->st_mode != b->st_mode) {
		printf("%o %o ", a->st_mode, b->st_mode);
		return differ(path, "mode", side);
	}
	if (!S_ISDIR(a->st_mode) && a->st_size != b->st_size) {
		printf("%lld %lld ", (long long)a->st_size, (long long)b->st_size);
		return differ(path, "size", side);
	}
	if (!S_ISDIR(a->st_mode) && a->st_nlink != b->st_nlink)
		return differ(path, "number of links", side);
	if (a->st_uid != b->st_uid || a->st_gid != b->st_gid)
		return differ(path, "owner", side);
	if (!times_agree(&a->st_mtim, &b->st_mtim) ||
	    (side == 1 && a->st_mtim.tv_nsec != b->st_mtim.tv_nsec)) {
		printf("%lld.%09ld %lld.%09ld ", (long long)a->st_mtim.tv_sec, a->st_mtim.tv_nsec,
		       (long long)b->st_mtim.tv_sec, b->st_mtim.tv_nsec);
		return differ(path, "time", side);
	}
	return true;
}

static bool contents_agree(const char *path, const int fds[SIDES])
{
	static char data[SIDES][CHUNK];

	for (off_t at = 0;;) {
		ssize_t n[SIDES];

		for (int i = 0; i < SIDES; i++)
			n[i] = pread(fds[i], data[i], CHUNK, at);
		for (int i = 1; i < SIDES; i++)
			if (n[i] != n[0] || (n[0] > 0 && memcmp(data[i], data[0], (size_t)n[0]))) {
				printf("%zd %zd at %lld ", n[0], n[i], (long long)at);
				return differ(path, "content", i);
			}
		if (n[0] <= 0)
			return true;
		at += n[0];
	}
}

static bool files_agree(const char *path, const int roots[SIDES])
{
	int fds[SIDES], errors[SIDES] = { 0 };
	bool same = true;

	for (int i = 0; i < SIDES; i++) {
		fds[i] = openat(roots[i], path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		errors[i] = fds[i] < 0 ? errno : 0;
	}
	for (int i = 1; i < SIDES && same; i++)
		if (errors[i] != errors[0])
			same = differ(path, "open(2)", i);
	if (same && fds[0] >= 0)
		same = contents_agree(path, fds);
	for (int i = 0; i < SIDES; i++)
		close_fd(fds[i]);
	return same;
}

static bool links_agree(const char *path, const int roots[SIDES])
{
	char text[SIDES][4096];
	ssize_t n[SIDES];

	for (int i = 0; i < SIDES; i++)
		n[i] = readlinkat(roots[i], path, text[i], sizeof text[i]);
	for (int i = 1; i < SIDES; i++)
		if (n[i] != n[0] || (n[0] > 0 && memcmp(text[i], text[0], (size_t)n[0])))
			return differ(path, "target", i);
	return true;
}

static bool directories_agree(const char *path, const int roots[SIDES]);

static bool entries_agree(const char *path, const int roots[SIDES])
{
	struct stat st[SIDES] = { 0 };
	int errors[SIDES] = { 0 };

	for (int i = 0; i < SIDES; i++)
		if (fstatat(roots[i], path, &st[i], AT_SYMLINK_NOFOLLOW) < 0)
			errors[i] = errno;
	for (int i = 1; i < SIDES; i++) {
		if (errors[i] != errors[0])
			return differ(path, "lstat(2)", i);
		if (!errors[0] && !stats_agree(path, &st[0], &st[i], i))
			return false;
	}
	if (errors[0])
		return true;
	return S_ISDIR(st[0].st_mode)	? directories_agree(path, roots)
	       : S_ISREG(st[0].st_mode) ? files_agree(path, roots)
					: links_agree(path, roots);
}

static bool directories_agree(const char *path, const int roots[SIDES])
{
	char **v[SIDES] = { NULL };
	int r[SIDES];
	bool same = true;

	for (int i = 0; i < SIDES; i++) {
		r[i] = read_names(roots[i], path, &v[i]);
		if (i && same && (r[i] != r[0] || strv_length(v[i]) != strv_length(v[0])))
			same = differ(path, "list", i);
		for (size_t j = 0; i && same && v[0] && v[0][j]; j++)
			if (strcmp(v[0][j], v[i][j]) != 0)
				same = differ(path, v[0][j], i);
	}
	for (size_t j = 0; same && v[0] && v[0][j]; j++) {
		_cleanup_free_ char *below = xasprintf("%s/%s", path, v[0][j] + 1);

		same = entries_agree(below, roots);
	}
	for (int i = 0; i < SIDES; i++)
		strv_free(v[i]);
	return same;
}

bool trees_agree(int inside, int outside, int plain)
{
	return directories_agree(".", (int[SIDES]){ inside, outside, plain });
}
