#include "app/registry.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "app/state.h"
#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "box/lock.h"
#include "session/leaves.h"

#define LOCK_FILE     "lock"
#define ID_TRIES      16
#define ID_PREFIX_MAX 58 /* with "-xxxx" still a valid name */

int runtime_open(int *ret_fd, struct error **err)
{
	const char *path = getenv("XDG_RUNTIME_DIR");
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	int r;

	if (!path || *path != '/')
		return error_set(err, ENOENT,
				 "XDG_RUNTIME_DIR is not set: log in to a session, or set it to a "
				 "directory of yours with mode 0700");
	r = fs_open_dir(AT_FDCWD, path, &fd, err);
	if (r < 0)
		return error_prefix(err, "XDG_RUNTIME_DIR");
	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat XDG_RUNTIME_DIR");
	if (st.st_uid != getuid() || (st.st_mode & 077))
		return error_set(err, EPERM,
				 "XDG_RUNTIME_DIR '%s' must belong to you alone: chmod 0700", path);
	return fs_make_dir(fd, "vitrine", 0700, ret_fd, err);
}

static int open_sandboxes(int runtime_dir, int *ret_fd, struct error **err)
{
	return fs_make_dir(runtime_dir, "sandboxes", 0700, ret_fd, err);
}

static int take_lock(int dir, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = openat(dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
					0600);

	if (fd < 0)
		return error_errno(err, "cannot open the lock of a sandbox");
	if (flock(fd, LOCK_EX | LOCK_NB) < 0)
		return error_errno(err, "sandbox is running");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int make_sandbox_dir(int sandboxes, const char *prefix, struct sandbox_dir *ret,
			    struct error **err)
{
	for (int try = 0; try < ID_TRIES; try++) {
		_cleanup_free_ char *id = NULL;
		unsigned char random[2];

		if (getrandom(random, sizeof random, 0) != sizeof random)
			return error_errno(err, "cannot get random bytes");
		id = xasprintf("%.*s-%02x%02x", ID_PREFIX_MAX, prefix, random[0], random[1]);
		if (mkdirat(sandboxes, id, 0700) == 0) {
			ret->id = TAKE_PTR(id);
			return fs_open_dir(sandboxes, ret->id, &ret->fd, err);
		}
		if (errno != EEXIST)
			return error_errno(err, "cannot make the state directory of a sandbox");
	}
	return error_set(err, EEXIST, "found no free id for a sandbox of '%s'", prefix);
}

int registry_add(int runtime_dir, int lock_fd, const char *prefix, struct sandbox_dir *ret,
		 struct error **err)
{
	_cleanup_close_ int sandboxes = -EBADF;
	struct sandbox_dir d = SANDBOX_DIR_NONE;
	int r;

	r = open_sandboxes(runtime_dir, &sandboxes, err);
	if (r < 0)
		return r;
	/* No sweeper may see the directory before its lock is taken. */
	r = lock_holder(lock_fd, err);
	if (r < 0)
		return r;
	r = make_sandbox_dir(sandboxes, prefix, &d, err);
	if (r >= 0)
		r = take_lock(d.fd, &d.lock, err);
	lock_holder_done(lock_fd);
	if (r < 0) {
		registry_remove(runtime_dir, &d);
		return r;
	}
	*ret = d;
	return 0;
}

void registry_remove(int runtime_dir, struct sandbox_dir *d)
{
	_cleanup_close_ int sandboxes = -EBADF;
	struct error *ignored = NULL; /* what stays is swept by the next command */

	if (d->id && open_sandboxes(runtime_dir, &sandboxes, &ignored) >= 0)
		(void)fs_remove_tree(sandboxes, d->id, &ignored);
	error_free(ignored);
	close_fd(d->fd);
	close_fd(d->lock);
	free(d->id);
	*d = SANDBOX_DIR_NONE;
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* What its state says that it had of control groups. What cannot be removed yet, because something
 * in it still ends, keeps its name for the next. */
static int sweep_cgroup(int dir, const char *id, struct error **err)
{
	_cleanup_(error_freep) struct error *unreadable = NULL; /* then there was no group yet */
	json_auto_t *state = NULL;
	const char *cgroup;

	if (state_read(dir, &state, &unreadable) < 0)
		return 0;
	cgroup = json_string_value(json_object_get(state, "cgroup"));
	return cgroup ? leaves_sweep(cgroup, id, err) : 0;
}

/* True if the supervisor of this directory lives; removes it otherwise. */
static bool alive_or_swept(int sandboxes, const char *id)
{
	_cleanup_close_ int dir = -EBADF, lock = -EBADF;
	_cleanup_(error_freep) struct error *error = NULL;
	struct error *ignored = NULL;

	if (!name_is_valid(id))
		return false;
	if (fs_open_dir(sandboxes, id, &dir, &error) < 0)
		return false;
	if (take_lock(dir, &lock, &error) < 0)
		return error->code == EWOULDBLOCK;
	if (sweep_cgroup(dir, id, &ignored) >= 0)
		(void)fs_remove_tree(sandboxes, id, &ignored);
	error_free(ignored);
	return false;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_locked(int sandboxes, char ***ret_ids, struct error **err)
{
	int copy = openat(sandboxes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(closedirp) DIR *d = fdopendir(copy);
	_cleanup_strv_ char **ids = NULL;
	struct dirent *e;

	if (!d) {
		close_fd(copy);
		return error_errno(err, "cannot list the sandboxes");
	}
	while ((e = readdir(d)))
		if (*e->d_name != '.' && alive_or_swept(sandboxes, e->d_name))
			strv_add(&ids, e->d_name);
	if (ids)
		qsort(ids, strv_length(ids), sizeof *ids, compare);
	*ret_ids = TAKE_PTR(ids);
	return 0;
}

int registry_list(int runtime_dir, char ***ret_ids, struct error **err)
{
	_cleanup_close_ int sandboxes = -EBADF, lock_fd = -EBADF;
	int r;

	r = open_sandboxes(runtime_dir, &sandboxes, err);
	if (r < 0)
		return r;
	r = lock_open(runtime_dir, &lock_fd, err);
	if (r < 0)
		return r;
	r = lock_holder(lock_fd, err);
	if (r < 0)
		return r;
	return list_locked(sandboxes, ret_ids, err); /* the lock goes with its descriptor */
}

int registry_open(int runtime_dir, const char *id, int *ret_fd, struct error **err)
{
	_cleanup_close_ int sandboxes = -EBADF;
	int r;

	r = open_sandboxes(runtime_dir, &sandboxes, err);
	if (r < 0)
		return r;
	return fs_open_dir(sandboxes, id, ret_fd, err);
}

void registry_sweep(int runtime_dir)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_strv_ char **ids = NULL;

	(void)registry_list(runtime_dir, &ids, &ignored);
}

static bool lock_is_held(int dir)
{
	_cleanup_close_ int fd = openat(dir, LOCK_FILE, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

int registry_supervisor(int dir, int *ret_pidfd, struct error **err)
{
	_cleanup_close_ int pidfd = -EBADF;
	json_auto_t *state = NULL;
	json_int_t pid;
	int r;

	r = state_read(dir, &state, err);
	if (r < 0)
		return r;
	pid = json_integer_value(json_object_get(state, "supervisor"));
	pidfd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	/* While its lock is held it lives, and the number cannot be another's. */
	if (!lock_is_held(dir))
		return error_set(err, ESRCH, "the sandbox has ended");
	if (pidfd < 0)
		return error_errno(err, "cannot watch the supervisor");
	*ret_pidfd = TAKE_FD(pidfd);
	return 0;
}

/* Is `id` of profile `name`: name, '-', four characters? */
static bool is_of_profile(const char *id, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(id, name, n) && id[n] == '-' && strlen(id + n) == 5;
}

int registry_find(int runtime_dir, const char *name, char **ret_id, struct error **err)
{
	_cleanup_strv_ char **ids = NULL;
	_cleanup_free_ char *shown = text_escape(name, 200);
	const char *found = NULL;
	int r;

	r = registry_list(runtime_dir, &ids, err);
	if (r < 0)
		return r;
	for (char **id = ids; id && *id; id++) {
		bool exact = !strcmp(*id, name);

		if (!exact && !is_of_profile(*id, name) &&
		    (!*name || strncmp(*id, name, strlen(name))))
			continue;
		if (found && !exact)
			return error_set(
				err, ENOTUNIQ,
				"'%s' means more than one sandbox: %s, %s; give more of the id",
				shown, found, *id);
		found = *id;
		if (exact)
			break;
	}
	if (!found)
		return error_set(err, ENOENT, "no sandbox '%s' is running ('vitrine ps' shows all)",
				 shown);
	*ret_id = xstrdup(found);
	return 0;
}

int registry_open_named(const char *name, int *ret_fd, char **ret_id, struct error **err)
{
	_cleanup_close_ int runtime = -EBADF;
	_cleanup_free_ char *id = NULL;
	int r;

	r = runtime_open(&runtime, err);
	if (r < 0)
		return r;
	r = registry_find(runtime, name, &id, err);
	if (r < 0)
		return r;
	r = registry_open(runtime, id, ret_fd, err);
	if (r < 0)
		return r;
	if (ret_id)
		*ret_id = TAKE_PTR(id);
	return 0;
}
