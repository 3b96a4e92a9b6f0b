#include "profile/load.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/ini.h"
#include "base/owner.h"
#include "base/strv.h"
#include "base/text.h"

#define SUFFIX_LENGTH (sizeof PROFILE_SUFFIX - 1)
#define OVERFLOW_ID   65534 /* how an id without a number of its own is shown */
#define QUOTE_MAX     64    /* bytes of a name that a message shows */

char **profile_dirs(const char *home)
{
	char **dirs = NULL;

	strv_add(&dirs, VITRINE_DATA_DIR "/profiles");
	strv_add(&dirs, VITRINE_CONF_DIR "/profiles");
	strv_addf(&dirs, "%s/.config/vitrine/profiles", home);
	return dirs;
}

/* Root of the host is nobody in a user namespace that does not map it, as that of
 * lxc-usernsexec(1). Then this program itself seems to be nobody's, and what was installed with it
 * is as good. */
static bool is_installed(const char *path, uid_t owner)
{
	struct stat program;

	return (!strncmp(path, VITRINE_DATA_DIR "/", sizeof VITRINE_DATA_DIR) ||
		!strncmp(path, VITRINE_CONF_DIR "/", sizeof VITRINE_CONF_DIR)) &&
	       owner == OVERFLOW_ID && stat("/proc/self/exe", &program) == 0 &&
	       program.st_uid == OVERFLOW_ID;
}

/* Who else could have written it? Asked of the open file, so the answer is about what is read. */
static int check_owner(int fd, const char *path, struct error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat '%s'", path);
	if (st.st_uid != 0 && st.st_uid != getuid() && !is_installed(path, st.st_uid))
		return error_set(err, EPERM, "'%s' belongs to user %u, not to you or root", path,
				 st.st_uid);
	if (others_may_write(fd, &st))
		return error_set(err, EPERM, "'%s' may be written by others (mode %04o)", path,
				 st.st_mode & 07777);
	return 0;
}

static int read_profile(int fd, const char *path, const char *name, struct profile **ret,
			struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = check_owner(fd, path, err);
	if (r < 0)
		return r;
	r = fs_read_fd(fd, INI_FILE_MAX, &text, &size, err);
	if (r < 0)
		return error_prefix(err, "'%s'", path);
	return profile_read(text, size, path, name, ret, err);
}

/* The profile's name in a file name, or NULL for what is not the file of a profile. */
static char *name_of_file(const char *file)
{
	size_t n = strlen(file);
	_cleanup_free_ char *name = NULL;

	if (n <= SUFFIX_LENGTH || strcmp(file + n - SUFFIX_LENGTH, PROFILE_SUFFIX))
		return NULL;
	name = xstrndup(file, n - SUFFIX_LENGTH);
	return name_is_valid(name) ? TAKE_PTR(name) : NULL;
}

/* Returns 1 and the descriptor, or 0 where there is no such directory. */
static int open_profiles(const char *path, int *ret_fd, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = fs_open_dir(AT_FDCWD, path, &fd, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return r;
	r = check_owner(fd, path, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(fd);
	return 1;
}

static bool is_mask(int dirfd, const char *file)
{
	char target[sizeof "/dev/null"];
	ssize_t n = readlinkat(dirfd, file, target, sizeof target);

	return n == sizeof target - 1 && !memcmp(target, "/dev/null", sizeof target - 1);
}

/* Looks in one directory. Returns 1 with the profile, 0 where it has no such file. */
static int load_from(const char *dir, const char *name, struct profile **ret, struct error **err)
{
	_cleanup_free_ char *file = xasprintf("%s%s", name, PROFILE_SUFFIX);
	_cleanup_free_ char *path = xasprintf("%s/%s", dir, file);
	_cleanup_close_ int dirfd = -EBADF, fd = -EBADF;
	int r;

	r = open_profiles(dir, &dirfd, err);
	if (r <= 0)
		return r;
	if (is_mask(dirfd, file))
		return error_set(err, ENOENT, "profile '%s' is masked by '%s'", name, path);
	r = fs_open_file(dirfd, file, &fd, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return 0;
	}
	if (r < 0)
		return error_prefix(err, "'%s'", dir);
	r = read_profile(fd, path, name, ret, err);
	return r < 0 ? r : 1;
}

/* Returns 1 with the profile, 0 where no directory has it; the last directory wins. */
static int load_by_name(char *const *dirs, const char *name, struct profile **ret,
			struct error **err)
{
	for (size_t i = strv_length(dirs); i-- > 0;) {
		int r = load_from(dirs[i], name, ret, err);

		if (r)
			return r;
	}
	return 0;
}

/* Every profile that can be read. One that cannot must not stand in the way of another's alias:
 * its error shows when it is asked for itself. */
static int load_all(char *const *dirs, struct profile ***ret, size_t *ret_n, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	struct profile **all;
	size_t n = 0;
	int r;

	r = profile_list_in(dirs, &names, err);
	if (r < 0)
		return r;
	all = xcalloc(strv_length(names), sizeof(struct profile *));
	for (char **name = names; name && *name; name++) {
		_cleanup_(error_freep) struct error *ignored = NULL;

		if (load_by_name(dirs, *name, &all[n], &ignored) == 1)
			n++;
	}
	*ret = all;
	*ret_n = n;
	return 0;
}

static int refuse_unknown(const char *name, struct profile *const *all, size_t n,
			  struct error **err)
{
	_cleanup_strv_ char **candidates = NULL;
	const char *near;

	for (size_t i = 0; i < n; i++) {
		strv_add(&candidates, all[i]->name);
		strv_add_all(&candidates, all[i]->aliases);
	}
	near = text_suggest(name, candidates);
	for (size_t i = 0; near && i < n; i++)
		if (!strcmp(all[i]->name, near) || strv_contains(all[i]->aliases, near))
			return error_set(err, ENOENT, "unknown profile '%s'; did you mean '%s'?",
					 name, all[i]->name);
	return error_set(err, ENOENT, "unknown profile '%s'; `vitrine profile list` shows all",
			 name);
}

static int pick_alias(const char *name, struct profile **all, size_t n, struct profile **ret,
		      struct error **err)
{
	size_t found = n;

	for (size_t i = 0; i < n; i++) {
		if (!strv_contains(all[i]->aliases, name))
			continue;
		if (found < n)
			return error_set(err, EEXIST, "'%s' is an alias of both '%s' and '%s'",
					 name, all[found]->name, all[i]->name);
		found = i;
	}
	if (found == n)
		return refuse_unknown(name, all, n, err);
	*ret = TAKE_PTR(all[found]);
	return 0;
}

int profile_load_in(char *const *dirs, const char *name, struct profile **ret, struct error **err)
{
	struct profile **all;
	size_t n;
	int r;

	/* Before any path is made of it. */
	if (!name_is_valid(name)) {
		_cleanup_free_ char *shown = text_escape(name, QUOTE_MAX);

		return error_set(err, EINVAL, "'%s' is not a profile name (a-z, 0-9 and -)", shown);
	}
	r = load_by_name(dirs, name, ret, err);
	if (r)
		return r < 0 ? r : 0;
	r = load_all(dirs, &all, &n, err);
	if (r < 0)
		return r;
	r = pick_alias(name, all, n, ret, err);
	for (size_t i = 0; i < n; i++)
		profile_free(all[i]);
	free(all);
	return r;
}

int profile_load(const char *name, const char *home, struct profile **ret, struct error **err)
{
	_cleanup_strv_ char **dirs = profile_dirs(home);

	return profile_load_in(dirs, name, ret, err);
}

int profile_load_file(const char *path, struct profile **ret, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(path, PATH_MAX), *name = NULL;
	_cleanup_close_ int fd = -EBADF;
	const char *slash = strrchr(path, '/');
	int r;

	name = name_of_file(slash ? slash + 1 : path);
	if (!name)
		return error_set(err, EINVAL, "'%s' is not named NAME%s (a-z, 0-9 and -)", shown,
				 PROFILE_SUFFIX);
	r = fs_open_file(AT_FDCWD, path, &fd, err);
	if (r < 0)
		return r;
	return read_profile(fd, shown, name, ret, err);
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

/* Adds what one directory decides: names that it has, names that it masks. */
static int list_dir(const char *path, char ***names, char ***masked, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	int r;

	r = open_profiles(path, &fd, err);
	if (r <= 0)
		return r;
	d = fdopendir(fd);
	if (!d)
		return error_errno(err, "cannot list '%s'", path);
	(void)TAKE_FD(fd); /* it is the stream's now */
	while ((e = readdir(d))) {
		_cleanup_free_ char *name = name_of_file(e->d_name);

		if (!name || strv_contains(*names, name) || strv_contains(*masked, name))
			continue;
		strv_take(is_mask(dirfd(d), e->d_name) ? masked : names, TAKE_PTR(name));
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int profile_list_in(char *const *dirs, char ***ret, struct error **err)
{
	_cleanup_strv_ char **names = NULL, **masked = NULL;

	/* The strongest first: what it has or masks is decided. */
	for (size_t i = strv_length(dirs); i-- > 0;) {
		int r = list_dir(dirs[i], &names, &masked, err);

		if (r < 0)
			return r;
	}
	if (names)
		qsort(names, strv_length(names), sizeof *names, compare);
	*ret = TAKE_PTR(names);
	return 0;
}

int profile_list(const char *home, char ***ret, struct error **err)
{
	_cleanup_strv_ char **dirs = profile_dirs(home);

	return profile_list_in(dirs, ret, err);
}
