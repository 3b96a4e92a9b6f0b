#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fold.h"
#include "base/fs.h"
#include "base/strv.h"
#include "session/given.h"

#define LINKS_MAX   40U	  /* as many as the kernel follows on one way */
#define DEPTH_MAX   2U	  /* of directories in a protected directory, in which links are sought */
#define ENTRIES_MAX 1000U /* looked at in one protected directory */

/* Where programs look instead of a directory beneath the home ("": of the home, for names that
 * begin so), if the environment says so. */
static const struct {
	const char *variable, *directory, *begin;
} bases[] = {
	{ "GNUPGHOME", ".gnupg", "" },
	{ "XDG_CACHE_HOME", ".cache", "" },
	{ "XDG_CONFIG_HOME", ".config", "" },
	{ "XDG_DATA_HOME", ".local/share", "" },
	{ "XDG_STATE_HOME", ".local/state", "" },
	{ "ZDOTDIR", "", ".z" },
};

/* Single files. */
static const char *const files[] = {
	"BASH_ENV",	 "ENV",		  "GIT_CONFIG_GLOBAL", "ICEAUTHORITY",
	"PYTHONSTARTUP", "SSH_AUTH_SOCK", "XAUTHORITY",	       "XDG_RUNTIME_DIR",
};

/* Sockets, where they are files, behind one of these words. */
static const char *const sockets[] = {
	"CONTAINER_HOST", "DBUS_SESSION_BUS_ADDRESS", "DOCKER_HOST", "GPG_AGENT_INFO",
	"PULSE_SERVER",	  "WAYLAND_DISPLAY",
};
static const char *const schemes[] = { "unix:path=", "unix://", "unix:", "" };

/* This installation: who could write there would be asked nothing. */
static const char *const installed[] = { VITRINE_CONF_DIR, VITRINE_DATA_DIR, VITRINE_EXEC_DIR };

static void append(char *const **v, const char *s)
{
	char **all = (char **)*v;

	strv_add(&all, s);
	*v = all;
}

/* Only what would not be refused anyway. */
static void add(struct protection *p, const char *real)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (protected_check(p, real, true, &error) == 0)
		append(&p->elsewhere, real);
}

/* A way as the kernel would go it. Of what does not exist the names count. */
struct way {
	struct protection *p;
	char *real; /* how far it came; "" is the root */
	char *rest; /* what is still to be gone from there, or from the root */
	char *link; /* the directory of the last link; "" before the first */
	unsigned links;
};

static void way_release(struct way *w)
{
	free(w->real);
	free(w->rest);
	free(w->link);
}

static void replace(char **where, char *with)
{
	free(*where);
	*where = with;
}

/*
 * A directory that is left again is part of the way: with a link in its place ".." is another one.
 * Not so above a link that the way has come through: that is protected itself, and what is
 * protected stays where it is.
 */
static void go_up(struct way *w)
{
	size_t size = strlen(w->real);
	char *slash = strrchr(w->real, '/');

	if (!slash)
		return;
	if (strncmp(w->link, w->real, size) != 0 || (w->link[size] && w->link[size] != '/'))
		add(w->p, w->real);
	*slash = '\0';
}

/* One name; -ELOOP where the kernel would give up. */
static int go(struct way *w, const char *name)
{
	_cleanup_free_ char *there = xasprintf("%s/%s", w->real, name);
	char target[PATH_MAX] = "";

	if (!strcmp(name, ".") || !strcmp(name, "..")) {
		if (name[1])
			go_up(w);
		return 0;
	}
	if (readlink(there, target, sizeof target - 1) <= 0) {
		replace(&w->real, TAKE_PTR(there));
		return 0;
	}
	add(w->p, there);
	replace(&w->link, xstrdup(w->real));
	replace(&w->rest, xasprintf("%s/%s", target, w->rest));
	if (*target == '/')
		*w->real = '\0';
	return ++w->links > LINKS_MAX ? -ELOOP : 0;
}

/* Adds every link on the way, as whoever can replace one decides where the way ends. Returns what
 * it leads to, or would ("" for the root); NULL where that cannot be told. Owned by the caller. */
static char *lead(struct protection *p, const char *path)
{
	_cleanup_(way_release) struct way w = {
		.p = p, .real = xstrdup(""), .rest = xstrdup(path), .link = xstrdup("")
	};

	for (;;) {
		_cleanup_free_ char *all = TAKE_PTR(w.rest), *name = NULL;
		const char *from = all + strspn(all, "/");
		size_t size = strcspn(from, "/");

		if (!size)
			return TAKE_PTR(w.real);
		name = xstrndup(from, size);
		w.rest = xstrdup(from + size);
		if (go(&w, name) < 0)
			return NULL;
	}
}

static void add_lead(struct protection *p, const char *path)
{
	_cleanup_free_ char *real = lead(p, path);

	if (real)
		add(p, real);
}

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

static bool is_kind(int dir, const struct dirent *e, unsigned char type, mode_t mode)
{
	struct stat st;

	if (e->d_type != DT_UNKNOWN)
		return e->d_type == type;
	return fstatat(dir, e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       (st.st_mode & S_IFMT) == mode;
}

/* What is not there, or not for this user to read, protects nothing. But for want of descriptors or
 * memory nothing may be passed over. */
static void note_unread(struct protection *p, int error)
{
	if (error == EMFILE || error == ENFILE || error == ENOMEM)
		p->unread = error;
}

/* The links in a protected directory: dotfile managers link single files. `fd` is taken over. What
 * cannot be read is left out, like what lies too deep. */
static void add_links(struct protection *p, int fd, const char *path, unsigned depth,
		      unsigned *budget)
{
	_cleanup_(closedirp) DIR *d = fdopendir(fd);
	struct dirent *e;

	if (!d) {
		note_unread(p, errno);
		close_fd(fd);
		return;
	}
	while (*budget && (e = readdir(d))) {
		_cleanup_free_ char *entry = xasprintf("%s/%s", path, e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		(*budget)--;
		if (is_kind(dirfd(d), e, DT_LNK, S_IFLNK))
			add_lead(p, entry);
		else if (depth < DEPTH_MAX && is_kind(dirfd(d), e, DT_DIR, S_IFDIR)) {
			int next = openat(dirfd(d), e->d_name,
					  O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			if (next >= 0)
				add_links(p, next, entry, depth + 1, budget);
			else
				note_unread(p, errno);
		}
	}
}

/* `fd` is a descriptor, taken over, or -errno. */
static void add_directory(struct protection *p, int fd, const char *path)
{
	unsigned budget = ENTRIES_MAX;

	if (fd >= 0)
		add_links(p, fd, path, 0, &budget);
	else
		note_unread(p, -fd);
}

static void add_place(struct protection *p, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	add_directory(p, fd < 0 ? -errno : fd, path);
	add_lead(p, path);
}

static void add_name(struct protection *p, int home, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", p->home, name);
	int fd = fs_open_beneath(home, name, O_RDONLY | O_DIRECTORY, RESOLVE_NO_SYMLINKS, 0);

	/* Also of what does not exist, where a directory above it is a link. */
	if (fd == -ELOOP)
		add_place(p, path);
	else
		add_directory(p, fd, path);
}

/* What is there of names of which only the beginning is known; `dir` is where programs look instead
 * of `directory`. */
static void add_begun(struct protection *p, const char *dir, const char *directory,
		      const char *begin)
{
	_cleanup_(closedirp) DIR *d = opendir(dir);
	struct dirent *e;

	if (!d)
		note_unread(p, errno);
	while (d && (e = readdir(d))) {
		_cleanup_free_ char *rest = xasprintf("%s%s%s", directory, *directory ? "/" : "",
						      e->d_name);
		_cleanup_free_ char *path = xasprintf("%s/%s", dir, e->d_name);

		if (fold_begins(e->d_name, begin) && protected_begins(rest))
			add_place(p, path);
	}
}

/* `name` beneath `directory`, NULL if it lies elsewhere. */
static const char *name_in(const char *name, const char *directory, const char *begin)
{
	const char *rest = *directory ? fold_beneath(name, directory) : name;

	return rest && fold_begins(rest, begin) ? rest : NULL;
}

static void add_begins(struct protection *p, const char *real, const char *directory,
		       const char *begin)
{
	for (const char *const *name = protected_begins_in_home; *name; name++) {
		const char *rest = name_in(*name, directory, begin);
		_cleanup_free_ char *path = rest ? xasprintf("%s/%s", real, rest) : NULL;

		if (path && !strv_contains(p->begins, path))
			append(&p->begins, path);
	}
	add_begun(p, real, directory, begin);
}

/* The directory itself; returns where it is. */
static char *add_usual(struct protection *p, const char *directory)
{
	_cleanup_free_ char *usual = xasprintf("%s%s%s", p->home, *directory ? "/" : "", directory);
	_cleanup_free_ char *real = lead(p, usual);

	if (real && strcmp(real, usual) != 0)
		add_begins(p, real, directory, "");
	else if (real)
		add_begun(p, real, directory, "");
	return TAKE_PTR(real);
}

static void add_base(struct protection *p, const char *base, const char *usual,
		     const char *directory, const char *begin)
{
	_cleanup_free_ char *real = lead(p, base);

	if (!real || (usual && !strcmp(real, usual)))
		return;
	for (const char *const *name = protected_in_home; *name; name++) {
		const char *rest = name_in(*name, directory, begin);
		_cleanup_free_ char *path = rest ? xasprintf("%s%s%s", real, *rest ? "/" : "", rest)
						 : NULL;

		if (path)
			add_place(p, path);
	}
	add_begins(p, real, directory, begin);
}

/* Of /run only what the user has there of other places can be given anyway. */
static void add_file(struct protection *p, const char *file)
{
	if (file && *file == '/' && !fold_beneath(file, "/run"))
		add_lead(p, file);
}

/* The first of several addresses counts, without what comes behind it. */
static void add_socket(struct protection *p, const char *address)
{
	for (size_t i = 0; address && i < ARRAY_SIZE(schemes); i++) {
		size_t n = strlen(schemes[i]);
		_cleanup_free_ char *path = NULL;

		if (strncmp(address, schemes[i], n) != 0)
			continue;
		path = xstrndup(address + n, strcspn(address + n, ",;:"));
		add_file(p, path);
		return;
	}
}

static void add_environment(struct protection *p)
{
	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		const char *base = getenv(bases[i].variable);
		_cleanup_free_ char *usual = add_usual(p, bases[i].directory);

		if (base && *base == '/')
			add_base(p, base, usual, bases[i].directory, bases[i].begin);
	}
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		add_file(p, getenv(files[i]));
	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		add_socket(p, getenv(sockets[i]));
	for (size_t i = 0; i < ARRAY_SIZE(installed); i++)
		add_lead(p, installed[i]);
}

int protection_gather(const char *home, struct protection *ret, struct error **err)
{
	_cleanup_(protection_release) struct protection p = { .uid = getuid() };
	_cleanup_close_ int fd = -EBADF;

	p.home = realpath(home, NULL);
	if (!p.home)
		return error_errno(err, "home directory '%s'", home);
	fd = open(p.home, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return error_errno(err, "home directory '%s'", p.home);
	for (const char *const *name = protected_in_home; *name; name++)
		add_name(&p, fd, *name);
	add_environment(&p);
	if (p.unread)
		return error_set(err, p.unread, "cannot find out what is protected in '%s': %s",
				 p.home, strerror(p.unread));
	*ret = p;
	p = (struct protection){ 0 };
	return 0;
}

void protection_release(struct protection *p)
{
	free((char *)p->home);
	strv_free((char **)p->elsewhere);
	strv_free((char **)p->begins);
	*p = (struct protection){ 0 };
}
