#include "session/walk.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#include "base/text.h"

#define LINKS_MAX 40U /* as many as the kernel follows */

/* What linux/magic.h does not have. */
#define CONFIGFS_TYPE	0x62656570
#define FUSECTL_TYPE	0x65735543
#define MQUEUE_TYPE	0x19800202
#define NFSD_TYPE	0x6e667364
#define PIDFS_TYPE	0x50494446
#define RPC_PIPEFS_TYPE 0x67596969

int walk_is_kernels(int fd)
{
	static const unsigned kinds[] = {
		AAFS_MAGIC,
		ANON_INODE_FS_MAGIC,
		BDEVFS_MAGIC,
		BINDERFS_SUPER_MAGIC,
		BINFMTFS_MAGIC,
		BPF_FS_MAGIC,
		CGROUP2_SUPER_MAGIC,
		CGROUP_SUPER_MAGIC,
		CONFIGFS_TYPE,
		DAXFS_MAGIC,
		DEBUGFS_MAGIC,
		DEVMEM_MAGIC,
		DEVPTS_SUPER_MAGIC,
		DMA_BUF_MAGIC,
		EFIVARFS_MAGIC,
		FUSECTL_TYPE,
		HUGETLBFS_MAGIC,
		MQUEUE_TYPE,
		NFSD_TYPE,
		NSFS_MAGIC,
		OPENPROM_SUPER_MAGIC,
		PIDFS_TYPE,
		PIPEFS_MAGIC,
		PROC_SUPER_MAGIC,
		PSTOREFS_MAGIC,
		RDTGROUP_SUPER_MAGIC,
		RPC_PIPEFS_TYPE,
		SECRETMEM_MAGIC,
		SECURITYFS_MAGIC,
		SELINUX_MAGIC,
		SMACK_MAGIC,
		SOCKFS_MAGIC,
		SYSFS_MAGIC,
		TRACEFS_MAGIC,
		USBDEVICE_SUPER_MAGIC,
		XENFS_SUPER_MAGIC,
	};
	struct statfs fs;

	if (fstatfs(fd, &fs) < 0)
		return -errno;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((unsigned)fs.f_type == kinds[i])
			return true;
	return false;
}

static int fail(struct error **err, const char *path)
{
	int code = errno;
	_cleanup_free_ char *shown = text_escape(path, strlen(path));

	errno = code;
	return code == ENOENT ? error_set(err, code, "'%s' does not exist", shown)
			      : error_errno(err, "cannot open '%s'", shown);
}

/*
 * Could only root have put a link into it? The owner that a file system names counts for nothing
 * where whoever made or serves it could have chosen (FUSE, media of users): root does not let
 * set-user-ID programs of such a file system run either, so that is what is asked.
 */
static bool is_roots(int dir)
{
	struct statvfs fs;
	struct stat st;

	return fstat(dir, &st) == 0 && fstatvfs(dir, &fs) == 0 && st.st_uid == 0 &&
	       !(st.st_mode & (S_IWGRP | S_IWOTH)) && !(fs.f_flag & ST_NOSUID) &&
	       walk_is_kernels(dir) == 0;
}

/* A state of the walk: `rest` is still to be walked from `dir`, or from the root. */
struct state {
	const char *path; /* all of it, for messages */
	char *rest;	  /* owned */
	unsigned links;
	struct walk w;
};

static void state_release(struct state *s)
{
	free(s->rest);
	walk_release(&s->w);
}

static int refuse_link(const struct state *s, struct error **err)
{
	_cleanup_free_ char *real = realpath(s->path, NULL);
	_cleanup_free_ char *shown = text_escape(s->path, strlen(s->path));
	_cleanup_free_ char *shown_real = text_escape(real ? real : "", PATH_MAX);

	if (!real || s->links > LINKS_MAX)
		return error_set(err, ELOOP, "'%s' is a symbolic link that leads nowhere", shown);
	/* Who made the link chose what it leads to: the user is told, not advised. */
	return error_set(err, ELOOP,
			 "'%s' leads through a symbolic link to '%s': links are not followed; give "
			 "that file itself if it is the one you mean",
			 shown, shown_real);
}

static int enter(struct state *s, int dir)
{
	close_fd(s->w.parent);
	close_fd(s->w.fd);
	free(TAKE_PTR(s->w.name));
	s->w.parent = dir;
	s->w.fd = -EBADF;
	return dir < 0 ? -errno : 0;
}

/* Puts what the link `fd` says before the rest. */
static int follow(struct state *s, int fd, struct error **err)
{
	char target[PATH_MAX] = "";
	char *rest;

	if (!is_roots(s->w.parent) || ++s->links > LINKS_MAX)
		return refuse_link(s, err);
	if (readlinkat(fd, "", target, sizeof target - 1) <= 0)
		return fail(err, s->path);
	rest = xasprintf("%s%s", target, s->rest);
	free(s->rest);
	s->rest = rest;
	if (*rest == '/' && enter(s, open("/", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fail(err, s->path);
	return 0;
}

/* O_DIRECTORY first: that has a directory mounted which comes when it is used (autofs). */
static int open_entry(int dir, const char *name)
{
	int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd;
}

/* One name, with the rest behind it. */
static int step(struct state *s, const char *name, struct error **err)
{
	bool is_last = !*s->rest;
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	if (!strcmp(name, ".") || !strcmp(name, "..")) {
		fd = openat(s->w.parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return enter(s, TAKE_FD(fd)) < 0 ? fail(err, s->path) : 0;
	}
	fd = open_entry(s->w.parent, name);
	if (fd < 0 && (errno != ENOENT || !is_last))
		return fail(err, s->path);
	if (fd >= 0 && fstat(fd, &st) < 0)
		return fail(err, s->path);
	if (fd >= 0 && S_ISLNK(st.st_mode))
		return follow(s, fd, err);
	if (fd >= 0 && !is_last && !S_ISDIR(st.st_mode)) {
		errno = ENOTDIR;
		return fail(err, s->path);
	}
	free(s->w.name);
	s->w.name = xstrdup(name);
	s->w.fd = fd < 0 ? -EBADF : TAKE_FD(fd);
	return 0;
}

int walk_path(const char *path, struct walk *ret, struct error **err)
{
	_cleanup_(state_release) struct state s = { .path = path, .w = WALK_NONE };

	s.rest = xstrdup(path);
	errno = ENOENT;
	if (!*path ||
	    enter(&s, open(*path == '/' ? "/" : ".", O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return fail(err, path);
	for (;;) {
		_cleanup_free_ char *name = NULL, *all = s.rest;
		const char *from = all + strspn(all, "/");
		size_t n = strcspn(from, "/");
		int r;

		s.rest = xstrdup(from + n);
		if (n == 0)
			break;
		if (s.w.name)
			(void)enter(&s, TAKE_FD(s.w.fd));
		name = xstrndup(from, n);
		r = step(&s, name, err);
		if (r < 0)
			return r;
	}
	*ret = s.w;
	s.w = WALK_NONE;
	return 0;
}

void walk_release(struct walk *w)
{
	close_fd(w->parent);
	close_fd(w->fd);
	free(w->name);
	*w = WALK_NONE;
}
