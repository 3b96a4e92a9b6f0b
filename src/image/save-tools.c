#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "image/save-private.h"
#include "image/unpacker.h"

#define TAR2SQFS   "/usr/bin/tar2sqfs"
#define MKFS_EROFS "/usr/bin/mkfs.erofs"
#define FILE_FD	   3 /* of the tool: the file that it makes */
#define TREE_FD	   4
#define TREE	   "tree"
#define PRINTS_MAX (64U << 10)

/* clang-format off */
/* At this level zstd makes it as small as gzip does, and is many times as fast. */
static const char *const tar2sqfs[] = {
	TAR2SQFS,
	"--quiet",
	"--force",
	"--no-xattr",
	"--compressor", "zstd",
	"--comp-extra", "level=3",
	"/proc/self/fd/3",
	NULL,
};

static const char *const mkfs_erofs[] = {
	MKFS_EROFS,
	"-zlz4hc",
	"-x-1",
	"-T0", /* the time of the file system itself */
	"--all-root",
	"--preserve-mtime",
	"--quiet",
	"-U00000000-0000-0000-0000-000000000000",
	"/proc/self/fd/3",
	"/proc/self/fd/4/.",
	NULL,
};
/* clang-format on */

static int check_tool(const char *path, const char *package, struct error **err)
{
	if (access(path, X_OK) == 0)
		return 0;
	return error_set(err, ENOENT, "%s is missing: 'apt install %s' as root brings it", path,
			 package);
}

int save_squashfs(struct saving *s, int file, struct error **err)
{
	_cleanup_(child_end) struct child child = CHILD_NONE;
	_cleanup_close_ int from = -EBADF, to = -EBADF;
	int ends[2], status, r;

	r = check_tool(TAR2SQFS, "squashfs-tools-ng", err);
	if (r < 0)
		return r;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	from = ends[0];
	to = ends[1];
	r = spawn(&(struct spawn){ .argv = (char *const *)tar2sqfs,
				   .fds = (int[]){ from, -1, STDERR_FILENO, file },
				   .n_fds = FILE_FD + 1,
				   .new_session = true },
		  &child, err);
	from = close_fd(from);
	if (r == 0)
		r = save_merged(s, to, err);
	to = close_fd(to);
	if (r < 0)
		return r;
	r = child_wait(&child, -1, &status, err);
	if (r >= 0 && status != 0)
		return error_set(err, EIO, "tar2sqfs failed");
	return r < 0 ? r : 0;
}

/* mkfs.erofs of Debian 12 takes no archive, so there has to be a tree for it. */
static int make_tree(struct saving *s, int work, int *ret_dir, struct error **err)
{
	_cleanup_(unpacker_release) struct unpacker u = UNPACKER_NONE;
	_cleanup_free_ char *line = NULL;
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = fs_make_dir(work, TREE, 0755, &dir, err);
	if (r == 0)
		r = unpacker_start(&(struct unpacker_options){ .layer = true, .root = dir }, &u,
				   err);
	if (r == 0)
		r = save_merged(s, u.to, err);
	if (r == -EPIPE)
		*err = error_free(*err); /* the unpacker says why */
	else if (r < 0)
		return r;
	r = unpacker_end(&u, &line, err);
	if (r < 0)
		return r;
	if (futimens(dir, (struct timespec[2]){ { 0 } }) < 0)
		return error_errno(err, "cannot use the directory for the work");
	*ret_dir = TAKE_FD(dir);
	return 0;
}

int save_erofs(struct saving *s, int work, int file, struct error **err)
{
	_cleanup_(child_end) struct child child = CHILD_NONE;
	_cleanup_close_ int dir = -EBADF;
	int status, r;

	r = check_tool(MKFS_EROFS, "erofs-utils", err);
	if (r == 0)
		r = make_tree(s, work, &dir, err);
	if (r < 0)
		return r;
	transfer_begin(&s->transfer, "compressing", 0, 0, 0);
	r = spawn(&(struct spawn){ .argv = (char *const *)mkfs_erofs,
				   .fds = (int[]){ -1, -1, STDERR_FILENO, file, dir },
				   .n_fds = TREE_FD + 1,
				   .new_session = true },
		  &child, err);
	do
		r = r < 0 ? r : child_wait(&child, 200, &status, err);
	while (r == 0 && (r = transfer_add(&s->transfer, 0, err)) == 0);
	if (r > 0 && status != 0)
		return error_set(err, EIO, "mkfs.erofs failed");
	return r < 0 ? r : 0;
}
