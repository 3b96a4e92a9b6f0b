#include "image/extract.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/text.h"
#include "image/beneath.h"
#include "image/whiteout.h"

#define TARGET_MAX 4095U
#define SHOWN_MAX  200 /* bytes of a name in a message */

/* Where a box is given directories and files of its own: a link there would lead it astray. */
static const char *const mount_points[] = {
	"dev", "etc", "home", "proc", "root", "run", "sys", "tmp", "var", "var/tmp",
};

static int refuse(struct error **err, int code, const char *name, const char *why)
{
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	return error_set(err, code, "refusing '%s': %s", shown, why);
}

static int failed(struct error **err, const char *name)
{
	int code = errno;
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	if (code == EEXIST)
		return refuse(err, EINVAL, name, "it is there already");
	errno = code;
	return error_errno(err, "cannot extract '%s'", shown);
}

static uint64_t time_of(const struct extract *x, int64_t modified)
{
	if (modified < 0)
		return 0;
	return (uint64_t)modified < x->newest ? (uint64_t)modified : x->newest;
}

static int set_time(int dir, const char *base, uint64_t modified)
{
	const struct timespec time = { .tv_sec = (time_t)modified };
	const struct timespec times[] = { time, time };

	return utimensat(dir, base, times, AT_SYMLINK_NOFOLLOW);
}

int extract_begin(struct extract *x, int dir, bool layer, uint64_t newest, struct error **err)
{
	*x = EXTRACT_NONE;
	x->layer = layer;
	x->newest = newest < EXTRACT_TIME_MAX ? newest : EXTRACT_TIME_MAX;
	x->root = fcntl(dir, F_DUPFD_CLOEXEC, 3);
	if (x->root < 0)
		return error_errno(err, "cannot use the directory");
	return 0;
}

void extract_release(struct extract *x)
{
	close_fd(x->root);
	close_fd(x->parent);
	free(x->parent_name);
	for (size_t i = 0; i < x->n_dirs; i++)
		free(x->dirs[i].name);
	free(x->dirs);
	*x = EXTRACT_NONE;
}

static int note_dir(struct extract *x, const char *name, size_t size, uint64_t modified,
		    bool implied, struct error **err)
{
	x->names_size += size + sizeof *x->dirs;
	if (x->names_size > EXTRACT_NAMES_MAX)
		return refuse(err, E2BIG, name, "too many directories");
	if (!(x->n_dirs & (x->n_dirs - 1)))
		x->dirs = xreallocarray(x->dirs, x->n_dirs ? 2 * x->n_dirs : 1, sizeof *x->dirs);
	x->dirs[x->n_dirs++] = (struct extract_dir){ .name = xstrndup(name, size),
						     .modified = modified,
						     .implied = implied };
	return 0;
}

/* Directories that no entry of the archive stands for are as old as can be: the same archive makes
 * the same tree at any time. */
static int make_dir(struct extract *x, const char *name, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	size_t there;
	int r;

	r = beneath_make_dir(x->root, name, &there, &fd, err);
	if (r < 0)
		return r;
	for (const char *p = name + there; *p;) {
		p += *p == '/';
		p += strcspn(p, "/");
		r = note_dir(x, name, (size_t)(p - name), 0, true, err);
		if (r < 0)
			return r;
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Opens the directory that holds `name`; *ret_base is the rest of it. The descriptor is x's. */
static int open_parent(struct extract *x, const char *name, int *ret_dir, const char **ret_base,
		       struct error **err)
{
	const char *slash = strrchr(name, '/');
	_cleanup_free_ char *parent = xstrndup(name, slash ? (size_t)(slash - name) : 0);

	*ret_base = slash ? slash + 1 : name;
	if (!x->parent_name || strcmp(parent, x->parent_name)) {
		int fd, r;

		r = make_dir(x, parent, &fd, err);
		if (r < 0)
			return r;
		close_fd(x->parent);
		x->parent = fd;
		free(x->parent_name);
		x->parent_name = TAKE_PTR(parent);
	}
	*ret_dir = x->parent;
	return 0;
}

/* The same for what is no directory. */
static int open_place(struct extract *x, const char *name, int *ret_dir, const char **ret_base,
		      struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++)
		if (!strcmp(name, mount_points[i]))
			return refuse(err, EINVAL, name, "it must be a directory");
	return open_parent(x, name, ret_dir, ret_base, err);
}

int extract_dir(struct extract *x, const char *name, mode_t mode, int64_t modified,
		struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = make_dir(x, name, &fd, err);
	if (r < 0)
		return r;
	/* The user owns everything, and has to be able to read and remove it. */
	if (fchmod(fd, (mode & 01777) | 0700) < 0)
		return failed(err, name);
	return note_dir(x, name, strlen(name), time_of(x, modified), false, err);
}

int extract_file(struct extract *x, const char *name, int *ret_fd, struct error **err)
{
	const char *base;
	int dir, r;

	r = open_place(x, name, &dir, &base, err);
	if (r < 0)
		return r;
	*ret_fd = openat(dir, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return *ret_fd < 0 ? failed(err, name) : 0;
}

int extract_file_end(struct extract *x, const char *name, int fd, mode_t mode, int64_t modified,
		     struct error **err)
{
	const struct timespec time = { .tv_sec = (time_t)time_of(x, modified) };
	const struct timespec times[] = { time, time };

	if (fchmod(fd, (mode & 0777) | 0400) < 0 || futimens(fd, times) < 0)
		return failed(err, name);
	return 0;
}

/* The target is data for whoever reads the image later; nothing here follows it. */
int extract_link(struct extract *x, const char *name, const char *target, int64_t modified,
		 struct error **err)
{
	const char *base;
	int dir, r;

	if (!target || !*target || strlen(target) > TARGET_MAX)
		return refuse(err, EINVAL, name, "a link with a bad target");
	r = open_place(x, name, &dir, &base, err);
	if (r < 0)
		return r;
	if (symlinkat(target, dir, base) < 0 || set_time(dir, base, time_of(x, modified)) < 0)
		return failed(err, name);
	return 0;
}

int extract_hard_link(struct extract *x, const char *name, const char *target, struct error **err)
{
	const char *slash = strrchr(target, '/');
	_cleanup_free_ char *above = xstrndup(target, slash ? (size_t)(slash - target) : 0);
	const char *target_base = slash ? slash + 1 : target, *base;
	_cleanup_close_ int from = -EBADF;
	struct stat st;
	int dir, r;

	r = beneath_open_dir(x->root, above, &from, err);
	if (r < 0)
		return r;
	if (fstatat(from, target_base, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return refuse(err, EINVAL, name, "a hard link to no file of the archive");
	if (S_ISCHR(st.st_mode)) /* nothing else of that kind is ever made; overlayfs links them */
		return extract_whiteout(x, name, st.st_mtime, err);
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return refuse(err, EINVAL, name, "a hard link to no file of the archive");
	r = open_place(x, name, &dir, &base, err);
	if (r < 0)
		return r;
	return linkat(from, target_base, dir, base, 0) < 0 ? failed(err, name) : 0;
}

int extract_whiteout(struct extract *x, const char *name, int64_t modified, struct error **err)
{
	const char *base;
	int dir, r;

	r = open_place(x, name, &dir, &base, err);
	if (r < 0)
		return r;
	if (mknodat(dir, base, S_IFCHR, makedev(0, 0)) < 0 ||
	    set_time(dir, base, time_of(x, modified)) < 0)
		return failed(err, name);
	return 0;
}

int extract_opaque(struct extract *x, const char *name, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!*name)
		return error_set(err, EINVAL, "refusing a layer that hides all of the others");
	r = make_dir(x, name, &fd, err);
	if (r < 0)
		return r;
	if (fsetxattr(fd, OPAQUE_ATTRIBUTE, OPAQUE_VALUE, strlen(OPAQUE_VALUE), 0) < 0)
		return failed(err, name);
	return 0;
}

int extract_end(struct extract *x, struct error **err)
{
	for (size_t i = 0; !x->layer && i < ARRAY_SIZE(mount_points); i++) {
		_cleanup_close_ int fd = -EBADF;
		int r = make_dir(x, mount_points[i], &fd, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < x->n_dirs; i++) {
		const struct extract_dir *d = &x->dirs[i];

		/* Nothing was ever replaced, so the name is still the directory. */
		if (set_time(x->root, d->name, d->modified) < 0)
			return failed(err, d->name);
	}
	return 0;
}

/* Those that are not implied first. */
static int by_name(const void *a, const void *b)
{
	const struct extract_dir *x = *(const struct extract_dir *const *)a;
	const struct extract_dir *y = *(const struct extract_dir *const *)b;
	int order = strcmp(x->name, y->name);

	return order ? order : x->implied - y->implied;
}

void extract_implied(const struct extract *x, extract_implied_fn *fn, void *user)
{
	_cleanup_free_ const struct extract_dir **all = xcalloc(x->n_dirs + 1, sizeof *all);

	for (size_t i = 0; i < x->n_dirs; i++)
		all[i] = &x->dirs[i];
	qsort(all, x->n_dirs, sizeof *all, by_name);
	for (size_t i = 0; i < x->n_dirs; i++)
		if (all[i]->implied && (!i || strcmp(all[i - 1]->name, all[i]->name) != 0))
			fn(user, all[i]->name);
}
