#include "image/scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"

#define PARENT	   "/var/tmp"
#define NAME	   "vitrine-image."
#define MMDEBSTRAP "/usr/bin/mmdebstrap"
#define OUTPUT_MAX (1U << 20)

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Empties PATH/NAME as the root of the user's sub-ids; PATH/NAME itself is ours to remove. */
static void empty_as_subid_root(const char *path, const char *name)
{
	_cleanup_free_ char *victim = xasprintf("%s/%s", path, name);
	char *const argv[] = {
		(char *)MMDEBSTRAP,
		(char *)"--unshare-helper",
		(char *)"rm",
		(char *)"-rf",
		(char *)"--one-file-system",
		(char *)"--",
		victim,
		NULL,
	};
	const struct spawn rm = { .argv = argv };
	_cleanup_free_ char *output = NULL;
	struct error *error = NULL;
	int status;

	if (spawn_collect(&rm, OUTPUT_MAX, &output, &status, &error) < 0)
		error_free(error); /* what remains is tried again by the next build */
}

static void remove_dir(int parent, const char *path)
{
	_cleanup_(closedirp) DIR *d = opendir(path);
	struct error *error = NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		struct stat st;

		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") &&
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISDIR(st.st_mode))
			empty_as_subid_root(path, e->d_name);
	}
	if (fs_remove_tree(parent, strrchr(path, '/') + 1, &error) < 0)
		error_free(error); /* as above */
}

/* A directory of this user that no living process has locked. */
static bool is_left_over(int parent, const char *name)
{
	_cleanup_close_ int fd = openat(parent, name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == getuid() &&
	       flock(fd, LOCK_EX | LOCK_NB) == 0;
}

static void sweep(int parent)
{
	_cleanup_(closedirp) DIR *d = opendir(PARENT);
	_cleanup_strv_ char **names = NULL;
	struct dirent *e;

	while (d && (e = readdir(d)))
		if (!strncmp(e->d_name, NAME, strlen(NAME)))
			strv_add(&names, e->d_name);
	for (char **name = names; name && *name; name++) {
		_cleanup_free_ char *path = xasprintf(PARENT "/%s", *name);

		if (is_left_over(parent, *name))
			remove_dir(parent, path);
	}
}

int scratch_make(struct scratch *ret, struct error **err)
{
	_cleanup_close_ int parent = open(PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC), dir = -EBADF;
	char path[] = PARENT "/" NAME "XXXXXX";

	if (parent < 0)
		return error_errno(err, "cannot open '" PARENT "'");
	sweep(parent);
	if (!mkdtemp(path))
		return error_errno(err, "cannot make a directory in '" PARENT "'");
	dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 || flock(dir, LOCK_EX | LOCK_NB) < 0 || fchmod(dir, 0711) < 0)
		return error_errno(err, "cannot use '%s'", path);
	*ret = (struct scratch){ .dir = TAKE_FD(dir), .path = xstrdup(path) };
	return 0;
}

void scratch_remove(struct scratch *s)
{
	_cleanup_close_ int parent = open(PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (s->path && parent >= 0)
		remove_dir(parent, s->path);
	close_fd(s->dir);
	free(s->path);
	*s = SCRATCH_NONE;
}
