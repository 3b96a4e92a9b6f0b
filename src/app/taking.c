#include "app/taking.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/text.h"

#define UNPACK		 VITRINE_EXEC_DIR "/vitrine-unpack"
#define UNPACK_TRUNCATED 3
#define TARGET_FD	 "3"
#define STAGE_BEGIN	 ".vitrine-keep."
#define REASON_MAX	 4096U
#define DEPTH_MAX	 256U

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* --- the directory beside its place ------------------------------------------ */

struct stage {
	int parent; /* borrowed */
	int fd;	    /* locked */
	char *name;
};

static void stage_remove(struct stage *s)
{
	_cleanup_(error_freep) struct error *ignored = NULL; /* the next one removes it */

	if (s->fd >= 0)
		(void)fs_remove_tree(s->parent, s->name, &ignored);
	close_fd(s->fd);
	free(s->name);
}

/* What was left by somebody who was killed. */
static void sweep(int parent)
{
	int fd = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_(error_freep) struct error *ignored = NULL;
		_cleanup_close_ int stage = -EBADF;
		struct stat st;

		if (strncmp(e->d_name, STAGE_BEGIN, strlen(STAGE_BEGIN)) ||
		    fs_open_dir(parent, e->d_name, &stage, &ignored) < 0)
			continue;
		if (fstat(stage, &st) == 0 && st.st_uid == getuid() &&
		    flock(stage, LOCK_EX | LOCK_NB) == 0)
			(void)fs_remove_tree(parent, e->d_name, &ignored);
	}
}

static int stage_make(int parent, struct stage *ret, struct error **err)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_close_ int fd = -EBADF;
	unsigned n = 0;
	int r;

	sweep(parent);
	do {
		free(name);
		name = xasprintf(STAGE_BEGIN "%d.%u", getpid(), n++);
	} while ((r = mkdirat(parent, name, 0700)) < 0 && errno == EEXIST && n < 100);
	if (r < 0)
		return error_errno(err, "cannot write there");
	r = fs_open_dir(parent, name, &fd, err);
	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_errno(err, "cannot lock a directory");
	*ret = (struct stage){ .parent = parent, .fd = TAKE_FD(fd), .name = TAKE_PTR(name) };
	return 0;
}

/* --- what arrives ------------------------------------------------------------ */

static int start_unpack(int tar, int dir, int reason, struct child *ret, struct error **err)
{
	char *argv[] = { (char *)UNPACK, (char *)TARGET_FD, NULL };
	const int fds[] = { tar, -EBADF, reason, dir };

	return spawn(&(struct spawn){ .argv = argv, .fds = fds, .n_fds = ARRAY_SIZE(fds) }, ret,
		     err);
}

static char *read_reason(int fd)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *text = NULL;
	char *colon;

	if (fs_read_fd(fd, REASON_MAX, &text, NULL, &ignored) < 0)
		return xstrdup("it cannot be unpacked");
	text[strcspn(text, "\n")] = '\0';
	colon = strstr(text, ": ");
	return text_escape(colon ? colon + 2 : text, REASON_MAX);
}

/* Both ends are waited for. One that ends too early lets the other one fail: that is known of the
 * sender by the archive, which then is cut off. */
static int receive(const struct taking *t, int dir, char **ret_left_out, struct error **err)
{
	_cleanup_close_ int tar = -EBADF, tar_write = -EBADF, reason = -EBADF,
			    reason_write = -EBADF;
	_cleanup_(child_end) struct child unpack = CHILD_NONE;
	_cleanup_free_ char *why = NULL, *left_out = NULL;
	int pipes[2][2], status, r;

	if (pipe2(pipes[0], O_CLOEXEC) < 0 || pipe2(pipes[1], O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	tar = pipes[0][0];
	tar_write = pipes[0][1];
	reason = pipes[1][0];
	reason_write = pipes[1][1];
	r = start_unpack(tar, dir, reason_write, &unpack, err);
	if (r < 0)
		return r;
	tar = close_fd(tar);
	reason_write = close_fd(reason_write);
	r = t->start(t->user, tar_write, err);
	tar_write = close_fd(tar_write);
	if (r < 0)
		return r;
	why = read_reason(reason);
	r = child_wait(&unpack, -1, &status, err);
	if (r < 0)
		return r;
	r = t->finish(t->user, &left_out, err);
	if (status && status_to_exit_code(status) != UNPACK_TRUNCATED) {
		*err = error_free(*err);
		return error_set(err, EIO, "%s", why);
	}
	if (r < 0)
		return r;
	*ret_left_out = TAKE_PTR(left_out);
	return status ? error_set(err, ENODATA, "there is nothing that can be taken") : 0;
}

/* --- may it lie there? ------------------------------------------------------- */

static int check_tree(const struct protection *p, int dir, const char *name, const char *path,
		      unsigned depth, struct error **err)
{
	struct stat st;
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	int fd, r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return error_errno(err, "cannot stat what was taken");
	r = protected_check(p, path, S_ISDIR(st.st_mode), err);
	if (r < 0 || !S_ISDIR(st.st_mode))
		return r;
	if (depth == DEPTH_MAX)
		return error_set(err, ELOOP, "nested too deeply");
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		close_fd(fd);
		return error_errno(err, "cannot read what was taken");
	}
	while (r >= 0 && (e = readdir(d))) {
		_cleanup_free_ char *below = xasprintf("%s/%s", path, e->d_name);

		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			r = check_tree(p, dirfd(d), e->d_name, below, depth + 1, err);
	}
	return r;
}

static int real_path(int dir, char **ret, struct error **err)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", dir);
	char path[PATH_MAX] = "";

	if (readlink(link, path, sizeof path - 1) < 0)
		return error_errno(err, "cannot find out where a directory lies");
	*ret = xstrdup(strcmp(path, "/") ? path : "");
	return 0;
}

static int put_in_place(const struct taking *t, int from, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(t->name, NAME_MAX);

	if (renameat2(from, t->name, t->parent, t->name, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno == EEXIST && !t->force)
		return error_set(err, EEXIST, "'%s' is there already (--force replaces it)", shown);
	/* The old one is removed with the stage. */
	if (errno == EEXIST && renameat2(from, t->name, t->parent, t->name, RENAME_EXCHANGE) == 0)
		return 0;
	return error_errno(err, "cannot put '%s' in its place", shown);
}

int taking_run(const struct taking *t, char **ret_left_out, struct error **err)
{
	_cleanup_(stage_remove) struct stage stage = { .fd = -EBADF };
	_cleanup_free_ char *dir = NULL, *path = NULL;
	_cleanup_close_ int from = -EBADF;
	struct stat st;
	int r;

	*ret_left_out = NULL;
	/* Before anything is copied in vain. */
	if (!t->force && fstatat(t->parent, t->name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return error_set(err, EEXIST, "it is there already (--force replaces it)");
	r = real_path(t->parent, &dir, err);
	if (r < 0)
		return r;
	path = xasprintf("%s/%s", dir, t->name);
	r = t->protection ? protected_check(t->protection, path, false, err) : 0;
	if (r >= 0)
		r = stage_make(t->parent, &stage, err);
	if (r >= 0)
		r = receive(t, stage.fd, ret_left_out, err);
	if (r >= 0)
		r = fs_open_dir(stage.fd, TAKING_DIR, &from, err);
	if (r >= 0 && t->protection)
		r = check_tree(t->protection, from, t->name, path, 0, err);
	return r < 0 ? r : put_in_place(t, from, err);
}

int taking_open_parent(const char *home, const char *path, int *ret_fd, struct error **err)
{
	const char *rest = path + strlen(home) + 1, *slash = strrchr(rest, '/');
	_cleanup_free_ char *parent = xstrndup(rest, slash ? (size_t)(slash - rest) : 0);
	_cleanup_free_ char *shown = text_escape(path, strlen(path));
	_cleanup_close_ int fd = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *state, *part;

	for (part = strtok_r(parent, "/", &state); part && fd >= 0;
	     part = strtok_r(NULL, "/", &state)) {
		int next;

		if (mkdirat(fd, part, 0700) < 0 && errno != EEXIST)
			return error_errno(err, "cannot make the directory of '%s'", shown);
		next = openat(fd, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		close_fd(fd);
		fd = next;
	}
	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return error_set(err, ELOOP,
				 "a link, or no directory, lies on the way to '%s': say where with "
				 "--to",
				 shown);
	if (fd < 0)
		return error_errno(err, "cannot open the directory of '%s'", shown);
	*ret_fd = TAKE_FD(fd);
	return 0;
}
