#include "app/profile-test-scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"

#define WHERE	  "/tmp"
#define BEGIN	  "vitrine-test-"
#define YOUNG_SEC 60 /* one that has no lock yet may just be in the making */

/* Of the user's own, and not in use. */
static bool is_left(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_uid == getuid() &&
	       st.st_mtim.tv_sec + YOUNG_SEC < time(NULL) && flock(fd, LOCK_EX | LOCK_NB) == 0;
}

/* What cannot be removed stays: it is in nobody's way. */
static void sweep(void)
{
	DIR *d = opendir(WHERE);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_(error_freep) struct error *ignored = NULL;
		_cleanup_close_ int fd = -EBADF;

		if (strncmp(e->d_name, BEGIN, strlen(BEGIN)) ||
		    fs_open_dir(dirfd(d), e->d_name, &fd, &ignored) < 0 || !is_left(fd))
			continue;
		(void)fs_remove_tree(dirfd(d), e->d_name, &ignored);
	}
	if (d)
		closedir(d);
}

int test_scratch_make(char **ret_path, int *ret_fd, struct error **err)
{
	char path[] = WHERE "/" BEGIN "XXXXXX";
	_cleanup_close_ int fd = -EBADF;
	int r;

	sweep();
	if (!mkdtemp(path))
		return error_errno(err, "cannot make a directory in " WHERE);
	r = fs_open_dir(AT_FDCWD, path, &fd, err);
	if (r >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0)
		r = error_errno(err, "cannot lock '%s'", path);
	if (r < 0) {
		(void)rmdir(path);
		return r;
	}
	*ret_path = xstrdup(path);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
