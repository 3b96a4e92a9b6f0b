#include "session/prepared.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#include "base/fs.h"

#define PREPARED    "%s/.local/share/vitrine/prepared/%s"
#define CURRENT	    "current"
#define CURRENT_NEW ".current.new"
#define LOCK_FILE   ".lock"
#define NAME_BEGIN  "home-"
#define TRIES	    10U

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* A name of a directory here, and nothing else. */
static int read_current(int dir, char name[NAME_MAX + 1])
{
	ssize_t n = readlinkat(dir, CURRENT, name, NAME_MAX);

	if (n < 0)
		return -errno;
	name[n] = '\0';
	return strncmp(name, NAME_BEGIN, strlen(NAME_BEGIN)) || strchr(name, '/') ? -EUCLEAN : 0;
}

static int open_current(int dir, int *ret_fd, struct error **err)
{
	char name[NAME_MAX + 1];
	int r = read_current(dir, name);

	if (r == -ENOENT)
		return error_set(err, ENOENT, "there is none");
	if (r < 0)
		return error_set(err, -r, "a prepared home cannot be found: %s", strerror(-r));
	return fs_open_dir(dir, name, ret_fd, err);
}

/* One that was replaced before it could be locked is removed, or will be: then there is another
 * one. */
static int lock_current(int dir, int *ret_fd, struct error **err)
{
	for (unsigned i = 0; i < TRIES; i++) {
		_cleanup_close_ int fd = -EBADF;
		struct stat st;
		int r = open_current(dir, &fd, err);

		if (r < 0)
			return r;
		if (flock(fd, LOCK_SH | LOCK_NB) == 0 && fstat(fd, &st) == 0 && st.st_nlink) {
			*ret_fd = TAKE_FD(fd);
			return 0;
		}
	}
	return error_set(err, EBUSY, "the prepared home is just being replaced");
}

int prepared_open(const char *user_home, const char *profile, int *ret_fd, char **ret_path,
		  struct error **err)
{
	_cleanup_free_ char *path = xasprintf(PREPARED, user_home, profile), *link = NULL;
	_cleanup_close_ int dir = -EBADF, fd = -EBADF;
	char real[PATH_MAX] = "";
	int r;

	r = fs_open_dir(AT_FDCWD, path, &dir, err);
	if (r >= 0)
		r = lock_current(dir, &fd, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return error_set(
			err, ENOENT,
			"profile '%s' has no prepared home yet: 'vitrine profile prepare %s' "
			"makes it",
			profile, profile);
	}
	if (r < 0)
		return r;
	link = xasprintf("/proc/self/fd/%d", fd);
	if (readlink(link, real, sizeof real - 1) < 0)
		return error_errno(err, "cannot find out where a prepared home lies");
	*ret_path = xstrdup(real);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int prepared_begin(const char *user_home, const char *profile, struct preparing *ret,
		   struct error **err)
{
	_cleanup_free_ char *path = xasprintf(PREPARED, user_home, profile);
	_cleanup_(preparing_release) struct preparing p = PREPARING_NONE;
	uint64_t number;
	int r;

	r = fs_make_path(path, 0700, &p.dir, err);
	if (r < 0)
		return r;
	p.lock = openat(p.dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (p.lock < 0)
		return error_errno(err, "cannot open the lock of the prepared home");
	if (flock(p.lock, LOCK_EX | LOCK_NB) < 0)
		return error_set(err, EBUSY, "the prepared home of '%s' is just being saved",
				 profile);
	if (getrandom(&number, sizeof number, 0) != sizeof number)
		return error_errno(err, "cannot get random bytes");
	p.name = xasprintf(NAME_BEGIN "%016llx", (unsigned long long)number);
	*ret = p;
	p = PREPARING_NONE;
	return 0;
}

/* Those that nobody copies at the moment. */
static void remove_old(const struct preparing *p)
{
	int fd = openat(p->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		_cleanup_(error_freep) struct error *stays = NULL;
		_cleanup_close_ int old = -EBADF;

		if (strncmp(e->d_name, NAME_BEGIN, strlen(NAME_BEGIN)) ||
		    !strcmp(e->d_name, p->name))
			continue;
		if (fs_open_dir(p->dir, e->d_name, &old, &stays) >= 0 &&
		    flock(old, LOCK_EX | LOCK_NB) == 0)
			(void)fs_remove_tree(p->dir, e->d_name, &stays);
	}
}

int prepared_commit(const struct preparing *p, struct error **err)
{
	if (unlinkat(p->dir, CURRENT_NEW, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot switch to the prepared home");
	if (symlinkat(p->name, p->dir, CURRENT_NEW) < 0 ||
	    renameat(p->dir, CURRENT_NEW, p->dir, CURRENT) < 0)
		return error_errno(err, "cannot switch to the prepared home");
	remove_old(p);
	return 0;
}

void preparing_release(struct preparing *p)
{
	close_fd(p->dir);
	close_fd(p->lock);
	free(p->name);
	*p = PREPARING_NONE;
}
