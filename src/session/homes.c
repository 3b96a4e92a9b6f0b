#include "session/homes.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "plan/plan.h"

#define HOMES	   "%s/.local/share/vitrine/homes"
#define ALL_LOCK   ".lock"
#define LOCK_FILE  "lock"
#define SLICE_FILE "slice"
#define SLICE_TEXT 16U
#define CONDEMNED  ".old"
#define FIRST_KEPT SLICE_TAKEN
#define TRIES	   10U
#define PAUSE_MS   10

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

int homes_open(const char *user_home, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *path = xasprintf(HOMES, user_home);

	return fs_open_dir(AT_FDCWD, path, ret_fd, err);
}

/* Released by close. */
static int lock_all(int homes, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = openat(homes, ALL_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
					0600);
	int r;

	if (fd < 0)
		return error_errno(err, "cannot open the lock of the homes");
	do
		r = flock(fd, LOCK_EX);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return error_errno(err, "cannot lock the homes");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* --- numbers ----------------------------------------------------------------- */

/* -ENOENT: it has none yet, and so nothing in it. */
static int read_slice(int dir, const char *name, uint32_t *ret, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	uint32_t n;
	int r;

	r = fs_read(dir, SLICE_FILE, SLICE_TEXT, &text, NULL, err);
	if (r < 0)
		return r;
	text[strcspn(text, "\n")] = '\0';
	if (parse_u32(text, &n) < 0 || n < FIRST_KEPT || n >= SLICE_COUNT)
		return error_set(
			err, EUCLEAN,
			"home '%s' is damaged: its file 'slice' does not say whose its files "
			"are ('vitrine home rm %s' gives it up)",
			name, name);
	*ret = n;
	return 0;
}

/* Which numbers are taken by other homes than `name`, those that are just removed among them. One
 * that cannot be read might be any. */
static int read_taken(int homes, const char *name, bool taken[SLICE_KEPT], struct error **err)
{
	_cleanup_(closedirp) DIR *d = NULL;
	int fd = openat(homes, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return error_errno(err, "cannot list the homes");
	while ((e = readdir(d))) {
		_cleanup_close_ int dir = -EBADF;
		uint32_t n;
		int r;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") ||
		    !strcmp(e->d_name, ALL_LOCK) || !strcmp(e->d_name, name))
			continue;
		r = fs_open_dir(homes, e->d_name, &dir, err);
		if (r >= 0)
			r = read_slice(dir, e->d_name, &n, err);
		if (r == -ENOENT || r == -ENOTDIR || r == -ELOOP)
			*err = error_free(*err);
		else if (r < 0)
			return r;
		else
			taken[n - FIRST_KEPT] = true;
	}
	return 0;
}

/* From the top downwards. */
static int give_slice(int dir, const bool taken[SLICE_KEPT], uint32_t *ret, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	uint32_t n = SLICE_COUNT;

	while (n-- > FIRST_KEPT && taken[n - FIRST_KEPT])
		;
	if (n < FIRST_KEPT)
		return error_set(err, EUSERS,
				 "all %u homes are there: 'vitrine home rm' gives one up",
				 SLICE_KEPT);
	text = xasprintf("%u\n", n);
	*ret = n;
	return fs_write(dir, SLICE_FILE, text, strlen(text), 0600, err);
}

/* Under the lock of all. */
static int find_slice(int homes, int dir, const char *name, uint32_t *ret, struct error **err)
{
	bool taken[SLICE_KEPT] = { false };
	int r;

	r = read_taken(homes, name, taken, err);
	if (r < 0)
		return r;
	r = read_slice(dir, name, ret, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return give_slice(dir, taken, ret, err);
	}
	if (r >= 0 && taken[*ret - FIRST_KEPT])
		return error_set(err, EUCLEAN,
				 "home '%s' is damaged: another one says that it has the same ids",
				 name);
	return r;
}

/* --- locks ------------------------------------------------------------------- */

/* The id in the file; "" where there is none. */
static char *read_id(int lock)
{
	char text[NAME_LENGTH_MAX + 2] = { 0 };
	ssize_t n = pread(lock, text, sizeof text - 1, 0);

	if (n < 2 || text[n - 1] != '\n')
		return xstrdup("");
	text[n - 1] = '\0';
	return xstrdup(name_is_valid(text) ? text : "");
}

static int refuse_busy(int lock, const char *name, struct error **err)
{
	_cleanup_free_ char *id = read_id(lock);

	if (!*id)
		return error_set(
			err, EBUSY,
			"the home '%s' is in use by a sandbox that starts or ends just now", name);
	return error_set(err, EBUSY,
			 "the home '%s' is in use by the sandbox '%s': 'vitrine stop %s' first",
			 name, id, id);
}

static int open_lock(int dir, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = openat(
		dir, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
		0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open the lock of a home");
	if (!S_ISREG(st.st_mode))
		return error_set(err, EUCLEAN, "the lock of a home is no file");
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* Somebody may just look whether it is taken: that is over at once. */
static int take_lock(int dir, const char *name, int *ret_fd, struct error **err)
{
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = open_lock(dir, &fd, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; i++) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return error_errno(err, "cannot lock the home '%s'", name);
		if (i == TRIES)
			return refuse_busy(fd, name, err);
		(void)nanosleep(&pause, NULL);
	}
	*ret_fd = TAKE_FD(fd);
	return 0;
}

static int announce(int lock, const char *id, struct error **err)
{
	_cleanup_free_ char *line = xasprintf("%s\n", id);

	if (ftruncate(lock, 0) < 0 || pwrite(lock, line, strlen(line), 0) != (ssize_t)strlen(line))
		return error_errno(err, "cannot write the lock of a home");
	return 0;
}

/* --- for a sandbox ----------------------------------------------------------- */

static int find_path(int dir, char **ret, struct error **err)
{
	_cleanup_free_ char *link = xasprintf("/proc/self/fd/%d", dir);
	char path[PATH_MAX] = "";

	if (readlink(link, path, sizeof path - 1) < 0)
		return error_errno(err, "cannot find out where a home lies");
	*ret = xstrdup(path);
	return 0;
}

/* All under the lock of all: nobody condemns it meanwhile. */
static int claim(int homes, const char *profile, const char *id, struct home *h, struct error **err)
{
	_cleanup_close_ int kept = -EBADF;
	int r;

	r = fs_make_dir(homes, profile, 0700, &h->dir, err);
	if (r >= 0)
		r = take_lock(h->dir, profile, &h->lock, err);
	if (r >= 0)
		r = announce(h->lock, id, err);
	if (r >= 0)
		r = find_slice(homes, h->dir, profile, &h->slice, err);
	if (r >= 0)
		r = fs_make_dir(h->dir, KEPT_PATHS, 0700, &kept, err);
	return r < 0 ? r : find_path(h->dir, &h->path, err);
}

int home_claim(const char *user_home, const char *profile, const char *id, struct home *ret,
	       struct error **err)
{
	_cleanup_free_ char *path = xasprintf(HOMES, user_home);
	_cleanup_(home_release) struct home h = HOME_NONE;
	_cleanup_close_ int homes = -EBADF, all = -EBADF;
	int r;

	r = fs_make_path(path, 0700, &homes, err);
	if (r >= 0)
		r = lock_all(homes, &all, err);
	if (r >= 0)
		r = claim(homes, profile, id, &h, err);
	if (r < 0)
		return r;
	*ret = h;
	h = HOME_NONE;
	return 0;
}

void home_release(struct home *h)
{
	close_fd(h->dir);
	close_fd(h->lock);
	free(h->path);
	*h = HOME_NONE;
}

/* --- for whoever looks ------------------------------------------------------- */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_condemned(const char *name)
{
	size_t n = strlen(name), m = strlen(CONDEMNED);

	return *name == '.' && n > m && !strcmp(name + n - m, CONDEMNED);
}

static bool any(const char *name)
{
	return *name;
}

static int names_in(int dirfd, const char *path, bool (*wanted)(const char *name), char ***ret,
		    struct error **err)
{
	_cleanup_(closedirp) DIR *d = NULL;
	int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char **names = NULL;
	struct dirent *e;

	d = fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		return error_errno(err, "cannot list '%s' of the homes", path);
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, "..") && wanted(e->d_name))
			strv_add(&names, e->d_name);
	if (names)
		qsort(names, strv_length(names), sizeof *names, by_name);
	*ret = names;
	return 0;
}

int homes_list(int homes, bool condemned, char ***ret, struct error **err)
{
	return names_in(homes, ".", condemned ? is_condemned : name_is_valid, ret, err);
}

static int open_home(int homes, const char *profile, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(profile, NAME_LENGTH_MAX);
	_cleanup_strv_ char **names = NULL;
	const char *near;
	int r;

	r = name_is_valid(profile) ? fs_open_dir(homes, profile, ret_fd, err) : -ENOENT;
	if (r != -ENOENT)
		return r;
	*err = error_free(*err);
	r = homes_list(homes, false, &names, err);
	if (r < 0)
		return r;
	near = text_suggest(profile, names);
	if (near)
		return error_set(err, ENOENT, "no home '%s': did you mean '%s'?", shown, near);
	return error_set(err, ENOENT, "no home '%s': see 'vitrine home list'", shown);
}

static void look_at_kept(int dir, struct home_facts *f)
{
	_cleanup_(error_freep) struct error *ignored = NULL; /* nothing was kept */
	_cleanup_strv_ char **names = NULL;

	(void)names_in(dir, KEPT_PATHS, any, &names, &ignored);
	for (char **name = names; name && *name; name++)
		if (strcmp(*name, KEPT_NEW))
			strv_take(&f->kept, plan_kept_path(*name));
}

int home_look(int homes, const char *profile, struct home_facts *ret, struct error **err)
{
	_cleanup_(error_freep) struct error *problem = NULL, *ignored = NULL;
	_cleanup_close_ int dir = -EBADF, lock = -EBADF;
	struct home_facts f = { 0 };
	struct stat st;
	int r;

	r = open_home(homes, profile, &dir, err);
	if (r < 0)
		return r;
	r = read_slice(dir, profile, &f.slice, &problem);
	f.damaged = r < 0;
	f.why = r < 0 ? xstrdup(problem->message) : NULL;
	f.home = fstatat(dir, KEPT_HOME, &st, AT_SYMLINK_NOFOLLOW) == 0;
	look_at_kept(dir, &f);
	/* Only to look: whoever claims it at this moment is told that it is in use. A shared lock
	 * is held for no longer than this. */
	if (open_lock(dir, &lock, &ignored) >= 0 && flock(lock, LOCK_SH | LOCK_NB) < 0)
		f.running = read_id(lock);
	*ret = f;
	return 0;
}

void home_facts_release(struct home_facts *f)
{
	free(f->why);
	free(f->running);
	strv_free(f->kept);
	*f = (struct home_facts){ 0 };
}

/* --- for whoever removes ----------------------------------------------------- */

int home_condemn(int homes, const char *profile, char **ret, int *ret_lock, struct error **err)
{
	_cleanup_free_ char *name = xasprintf(".%s.%d" CONDEMNED, profile, getpid());
	_cleanup_close_ int all = -EBADF, dir = -EBADF, lock = -EBADF;
	int r;

	r = lock_all(homes, &all, err);
	if (r >= 0)
		r = open_home(homes, profile, &dir, err);
	if (r >= 0)
		r = take_lock(dir, profile, &lock, err);
	if (r < 0)
		return r;
	if (renameat(homes, profile, homes, name) < 0)
		return error_errno(err, "cannot remove the home '%s'", profile);
	*ret = TAKE_PTR(name);
	*ret_lock = TAKE_FD(lock);
	return 0;
}

int home_condemned_lock(int homes, const char *name, int *ret_lock, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = fs_open_dir(homes, name, &dir, err);
	return r < 0 ? r : take_lock(dir, name, ret_lock, err);
}

int home_forget(int homes, const char *name, struct error **err)
{
	static const struct {
		const char *name;
		int flags;
	} parts[] = {
		/* The number last: it is taken as long as a file may be there. */
		{ KEPT_PATHS, AT_REMOVEDIR },
		{ LOCK_FILE, 0 },
		{ SLICE_FILE, 0 },
	};
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = fs_open_dir(homes, name, &dir, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		if (unlinkat(dir, parts[i].name, parts[i].flags) < 0 && errno != ENOENT)
			return error_errno(err, "cannot remove '%s' of a home", parts[i].name);
	if (unlinkat(homes, name, AT_REMOVEDIR) < 0)
		return error_errno(err, "cannot remove the rest of a home");
	return 0;
}
