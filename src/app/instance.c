#include "app/instance.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "app/registry.h"
#include "base/fs.h"
#include "base/loop.h"
#include "base/text.h"

#define WAIT_MS	     60000U
#define SLEEP_MIN_MS 10
#define SLEEP_MAX_MS 50

/* Something else in its place was not put there by us, and is neither waited for nor emptied. */
static int open_instance(int dir, const char *profile, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = openat(
		dir, profile, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open 'vitrine/instances/%s' in XDG_RUNTIME_DIR",
				   profile);
	if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || st.st_nlink > 1)
		return error_set(err, EPERM,
				 "'vitrine/instances/%s' in XDG_RUNTIME_DIR is no file of vitrine: "
				 "remove it",
				 profile);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Whoever has removed the file has made the lock worth nothing. */
static bool is_in_place(int dir, const char *profile, int fd)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && fstatat(dir, profile, &there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* The id in the file; NULL while there is none. */
static char *read_id(int fd)
{
	char text[NAME_LENGTH_MAX + 2] = { 0 };
	ssize_t n = pread(fd, text, sizeof text - 1, 0);

	/* Without its newline it may be cut off. */
	if (n < 2 || text[n - 1] != '\n')
		return NULL;
	text[n - 1] = '\0';
	return name_is_valid(text) ? xstrdup(text) : NULL;
}

/* Between the end of a supervisor and the moment in which the next one has emptied the file, the id
 * of a dead sandbox stands there. */
static bool is_alive(int runtime_dir, const char *id)
{
	_cleanup_(error_freep) struct error *ignored = NULL; /* it is not */
	_cleanup_close_ int dir = -EBADF, supervisor = -EBADF;

	return registry_open(runtime_dir, id, &dir, &ignored) >= 0 &&
	       registry_supervisor(dir, &supervisor, &ignored) >= 0;
}

/* 1: *ret_lock or *ret_running_id is set. 0: neither can be had at the moment. */
static int try_claim(int runtime_dir, int dir, const char *profile, int *ret_lock,
		     char **ret_running_id, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *id = NULL;
	int r;

	r = open_instance(dir, profile, &fd, err);
	if (r < 0)
		return r;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (!is_in_place(dir, profile, fd))
			return 0;
		if (ftruncate(fd, 0) < 0)
			return error_errno(err, "cannot empty 'vitrine/instances/%s'", profile);
		*ret_lock = TAKE_FD(fd);
		*ret_running_id = NULL;
		return 1;
	}
	if (errno != EWOULDBLOCK && errno != EINTR)
		return error_errno(err, "cannot lock 'vitrine/instances/%s'", profile);
	id = read_id(fd);
	if (!id || !is_alive(runtime_dir, id))
		return 0;
	*ret_lock = -EBADF;
	*ret_running_id = TAKE_PTR(id);
	return 1;
}

static void sleep_ms(long ms)
{
	const struct timespec time = { .tv_nsec = ms * 1000000L };

	(void)nanosleep(&time, NULL); /* woken early, it only looks earlier */
}

int instance_claim(int runtime_dir, const char *profile, int *ret_lock, char **ret_running_id,
		   struct error **err)
{
	uint64_t end = now_ms() + WAIT_MS;
	_cleanup_close_ int dir = -EBADF;
	int r;

	if (!name_is_valid(profile))
		return error_set(err, EINVAL, "this is no name of a profile");
	r = fs_make_dir(runtime_dir, "instances", 0700, &dir, err);
	if (r < 0)
		return r;
	for (long pause = SLEEP_MIN_MS; now_ms() < end; pause += pause < SLEEP_MAX_MS ? 10 : 0) {
		r = try_claim(runtime_dir, dir, profile, ret_lock, ret_running_id, err);
		if (r != 0)
			return r < 0 ? r : 0;
		sleep_ms(pause);
	}
	return error_set(err, ETIMEDOUT,
			 "the other sandbox of '%s' neither starts nor ends: see 'vitrine ps', and "
			 "'vitrine stop'",
			 profile);
}

int instance_announce(int lock, const char *id, struct error **err)
{
	_cleanup_free_ char *line = xasprintf("%s\n", id);
	ssize_t size = (ssize_t)strlen(line);

	if (!name_is_valid(id))
		return error_set(err, EINVAL, "this is no id of a sandbox");
	if (pwrite(lock, line, (size_t)size, 0) != size)
		return error_errno(err, "cannot announce the sandbox '%s'", id);
	return 0;
}
