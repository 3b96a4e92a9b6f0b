#include "session/replace.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/copy.h"
#include "base/fs.h"

#define PIECE_SIZE	(8U << 20)
#define ATTRIBUTES_MAX	(64U << 10) /* names, and each value: XATTR_LIST_MAX, XATTR_SIZE_MAX */
#define ACL_NAME	"system.posix_acl_access"
#define NEW_OWNER_MODE	0600
#define PERMISSION_BITS 0777

/* "/proc/self/fd/N": for what takes paths only, and for O_PATH descriptors. */
struct proc_path {
	char text[32];
};

static struct proc_path proc_path(int fd)
{
	struct proc_path p;

	(void)snprintf(p.text, sizeof p.text, "/proc/self/fd/%d", fd);
	return p;
}

/* A name that nobody else uses, and that says whose a file is that a kill left behind. */
static int hidden_name(char *ret, size_t size)
{
	uint64_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return -EIO;
	(void)snprintf(ret, size, ".vitrine-%016" PRIx64, random);
	return 0;
}

/* open(2) of a nameless file says so where a file system, or a kernel, has none. */
static bool has_no_nameless(int error)
{
	return error == EOPNOTSUPP || error == EISDIR || error == EINVAL;
}

static int make_hidden(int parent, char *ret_name, size_t size)
{
	int r = hidden_name(ret_name, size), fd;

	if (r < 0)
		return r;
	fd = openat(parent, ret_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    NEW_OWNER_MODE);
	return fd < 0 ? -errno : fd;
}

/* On a file system without nameless files: one that loses its name before it has any content. What
 * the mode of a new file is is not known here; its owner's alone is never too much. */
static int make_unlinked(int parent, struct temporary *ret)
{
	char name[32];
	int fd = make_hidden(parent, name, sizeof name);

	if (fd < 0)
		return fd;
	if (unlinkat(parent, name, 0) < 0) {
		int r = -errno;

		close_fd(fd);
		return r;
	}
	*ret = (struct temporary){ .fd = fd, .mode = NEW_OWNER_MODE };
	return 0;
}

int temporary_make(int parent, struct temporary *ret)
{
	/* The kernel applies the mask, or the directory's default ACL, as for any new file. */
	_cleanup_close_ int fd = openat(parent, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0666);
	struct stat st;

	if (fd < 0 && has_no_nameless(errno))
		return make_unlinked(parent, ret);
	if (fd < 0 || fstat(fd, &st) < 0 || fchmod(fd, NEW_OWNER_MODE) < 0)
		return -errno;
	*ret = (struct temporary){ .mode = st.st_mode & PERMISSION_BITS, .fd = TAKE_FD(fd) };
	return 0;
}

static bool is_kept(const char *attribute)
{
	return !strncmp(attribute, "user.", strlen("user.")) || !strcmp(attribute, ACL_NAME);
}

/* False if the old file has an ACL that the new one could not get. Other attributes are kept where
 * that works: losing one gives nobody a right. */
static bool copy_attributes(int old, int fd)
{
	_cleanup_free_ char *names = xmalloc(ATTRIBUTES_MAX), *value = xmalloc(ATTRIBUTES_MAX);
	struct proc_path path = proc_path(old);
	ssize_t size = listxattr(path.text, names, ATTRIBUTES_MAX);
	bool had_acl = false, has_acl = false;

	for (char *name = names; size > 0 && name < names + size; name += strlen(name) + 1) {
		ssize_t n;

		if (!is_kept(name))
			continue;
		had_acl |= !strcmp(name, ACL_NAME);
		n = getxattr(path.text, name, value, ATTRIBUTES_MAX);
		if (n >= 0 && fsetxattr(fd, name, value, (size_t)n, 0) == 0)
			has_acl |= !strcmp(name, ACL_NAME);
	}
	/* One that the directory gives to new files. */
	if (!had_acl)
		(void)fremovexattr(fd, ACL_NAME);
	return had_acl == has_acl;
}

/* While it is nameless, or its owner's alone: nobody ever sees it with more rights than the old one
 * has. Set-id bits are not kept: they would vouch for what the sandbox has written. */
static int dress(int fd, int old, mode_t mode)
{
	struct stat was, is;

	if (old >= 0) {
		bool same;

		if (fstat(old, &was) < 0 || fstat(fd, &is) < 0)
			return -errno;
		same = is.st_gid == was.st_gid || fchown(fd, (uid_t)-1, was.st_gid) == 0;
		same &= copy_attributes(old, fd);
		mode = was.st_mode & PERMISSION_BITS;
		/* The rights of another group, or those that an ACL masked, are not this one's. */
		if (!same)
			mode &= ~070U | (mode & 007U) << 3;
	}
	/* Where there are no modes (vfat) it fails; all files are as its mount says. */
	(void)fchmod(fd, mode);
	return 0;
}

static int link_at(int fd, int parent, const char *name)
{
	struct proc_path path = proc_path(fd);

	return linkat(AT_FDCWD, path.text, parent, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* The hidden file takes the name. */
static int rename_hidden(struct replace *r)
{
	if (r->old >= 0) {
		if (renameat(r->parent, r->hidden, r->parent, r->name) < 0)
			return -errno;
		r->hidden[0] = '\0';
		return 0;
	}
	if (renameat2(r->parent, r->hidden, r->parent, r->name, RENAME_NOREPLACE) == 0) {
		r->hidden[0] = '\0';
		return 0;
	}
	if (errno != EINVAL)
		return -errno;
	/* Not on every file system; then there are links. The hidden name goes with release. */
	return linkat(r->parent, r->hidden, r->parent, r->name, 0) < 0 ? -errno : 0;
}

/* A nameless file takes the name. */
static int put_link(struct replace *r, int fd)
{
	int e;

	if (r->old < 0)
		return link_at(fd, r->parent, r->name);
	e = hidden_name(r->hidden, sizeof r->hidden);
	if (e >= 0)
		e = link_at(fd, r->parent, r->hidden);
	if (e < 0) {
		r->hidden[0] = '\0';
		return e;
	}
	return rename_hidden(r);
}

/* It is on another file system, or not nameless as O_TMPFILE makes it, or there are no links. */
static bool wants_copy(int error)
{
	static const int errors[] = { EXDEV, ENOENT, EPERM, EOPNOTSUPP, EMLINK, ENOSYS };

	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (error == -errors[i])
			return true;
	return false;
}

/* Nameless too where that is possible, so that nothing stays beside, whoever is killed; with a
 * hidden name otherwise. */
static int make_copy(struct replace *r)
{
	int fd = openat(r->parent, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, NEW_OWNER_MODE);

	if (fd >= 0 || !has_no_nameless(errno))
		return fd < 0 ? -errno : fd;
	fd = make_hidden(r->parent, r->hidden, sizeof r->hidden);
	if (fd < 0)
		r->hidden[0] = '\0';
	return fd;
}

static int start_copy(struct replace *r)
{
	struct stat st;
	int fd;

	if (fstat(r->from, &st) < 0)
		return -errno;
	fd = make_copy(r);
	if (fd < 0)
		return fd;
	r->fd = fd;
	r->copied = true;
	/* The caller may learn of another file meanwhile. */
	if (r->old >= 0) {
		r->old = fcntl(r->old, F_DUPFD_CLOEXEC, 0);
		if (r->old < 0)
			return -errno;
	}
	r->end = st.st_size;
	return 1;
}

int replace_start(struct replace *r, int parent, const char *name, int old,
		  const struct temporary *t)
{
	int e;

	*r = (struct replace){
		.parent = parent,
		.name = name,
		.old = old,
		.fd = t->fd,
		.from = t->fd,
		.mode = t->mode,
	};
	e = dress(r->from, old, r->mode);
	if (e >= 0)
		e = put_link(r, r->from);
	if (wants_copy(e) && !r->hidden[0])
		e = start_copy(r);
	if (e < 0) {
		replace_release(r);
		(void)fchmod(t->fd, NEW_OWNER_MODE);
	}
	return e;
}

static bool is_taken_by_other(int parent, const char *name, int fd)
{
	_cleanup_close_ int now = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	return now >= 0 && !fs_is_same(now, fd);
}

int replace_step(struct replace *r)
{
	off_t before = r->at;
	int e = copy_piece(r->from, r->fd, &r->at, r->end, PIECE_SIZE);

	if (e < 0)
		return e;
	if (e > 0) {
		/* So that waiting for all of it at the end, which also finds errors, is short. */
		(void)sync_file_range(r->fd, before, r->at - before, SYNC_FILE_RANGE_WRITE);
		return 1;
	}
	if (fdatasync(r->fd) < 0)
		return -errno;
	e = dress(r->fd, r->old, r->mode);
	/* The copy took its time: what somebody else has put there meanwhile stays. */
	if (e >= 0 && r->old >= 0 && is_taken_by_other(r->parent, r->name, r->old))
		e = -EEXIST;
	if (e < 0)
		return e;
	return r->hidden[0] ? rename_hidden(r) : put_link(r, r->fd);
}

void replace_release(struct replace *r)
{
	if (r->hidden[0])
		(void)unlinkat(r->parent, r->hidden, 0);
	if (r->copied) {
		close_fd(r->fd);
		close_fd(r->old);
	}
	*r = REPLACE_NONE;
}
