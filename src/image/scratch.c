#include "image/scratch.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "image/names.h"

#define PARENT	   "/var/tmp"
#define NAME	   "vitrine-image."
#define BUILD_BOX  VITRINE_EXEC_DIR "/vitrine-build-box"
#define OUTPUT_MAX (1U << 20)

/* Removes PATH/NAME, in which files belong to the user and to sub-ids. */
static void remove_as_root(const char *path, const char *name)
{
	_cleanup_free_ char *victim = xasprintf("%s/%s", path, name);
	char *const argv[] = {
		(char *)BUILD_BOX,
		(char *)"remove",
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

static bool is_any(const char *name)
{
	return *name;
}

static void remove_dir(int parent, const char *path)
{
	_cleanup_close_ int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;
	_cleanup_(error_freep) struct error *error = NULL;

	if (dir < 0 || names_in(dir, ".", is_any, &names, &error) < 0)
		return; /* tried again by the next build, and so below */
	for (char **name = names; name && *name; name++) {
		struct stat st;

		if (fstatat(dir, *name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			remove_as_root(path, *name);
	}
	(void)fs_remove_tree(parent, strrchr(path, '/') + 1, &error);
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

static bool is_scratch(const char *name)
{
	return !strncmp(name, NAME, strlen(NAME));
}

void scratch_sweep(void)
{
	_cleanup_close_ int parent = open(PARENT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_strv_ char **names = NULL;
	_cleanup_(error_freep) struct error *error = NULL;

	if (parent < 0 || names_in(parent, ".", is_scratch, &names, &error) < 0)
		return; /* in nobody's way */
	for (char **name = names; name && *name; name++) {
		_cleanup_free_ char *path = xasprintf(PARENT "/%s", *name);

		if (is_left_over(parent, *name))
			remove_dir(parent, path);
	}
}

int scratch_make(struct scratch *ret, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	char path[] = PARENT "/" NAME "XXXXXX";

	scratch_sweep();
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
