#include "profile/ceiling-load.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/file.h"

#define DIR_NAME    "policy.d"
#define SUFFIX	    ".conf"
#define QUOTE_MAX   64	  /* bytes of a name that a message shows */
#define IGNORED_MAX 1024U /* other files */

struct policy {
	const char *path; /* of the directory */
	uid_t owner;
	int fd;
	char **files, **ignored;
};

static int check_owner(int fd, const char *path, uid_t owner, struct error **err)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat '%s'", path);
	if (st.st_uid != owner && (owner != 0 || !profile_is_of_root(path, st.st_uid)))
		return error_set(err, EPERM, "'%s' belongs to user %u: chown root it", path,
				 st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return error_set(err, EPERM,
				 "'%s' may be written by others (mode %04o): chmod go-w", path,
				 st.st_mode & 07777);
	return 0;
}

static bool is_rule(const char *file)
{
	size_t n = strlen(file), suffix = sizeof SUFFIX - 1;

	return n > suffix && *file != '.' && !strcmp(file + n - suffix, SUFFIX);
}

static int add_name(struct policy *p, const char *file, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(file, QUOTE_MAX);

	if (!is_rule(file)) {
		if (strcmp(file, ".") != 0 && strcmp(file, "..") != 0 &&
		    strv_length(p->ignored) < IGNORED_MAX)
			strv_add(&p->ignored, shown);
		return 0;
	}
	if (!text_is_plain(file))
		return error_set(err, EINVAL, "'%s/%s' is not a name for a file here", p->path,
				 shown);
	if (strv_length(p->files) == CEILING_RULES_MAX)
		return error_set(err, E2BIG, "'%s' has more than %u rules", p->path,
				 CEILING_RULES_MAX);
	strv_add(&p->files, file);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int list_files(struct policy *p, struct error **err)
{
	int fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0), r = 0;
	_cleanup_(closedirp) DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d) {
		close_fd(fd);
		return error_errno(err, "cannot list '%s'", p->path);
	}
	for (errno = 0; r >= 0 && (e = readdir(d)); errno = 0)
		r = add_name(p, e->d_name, err);
	if (r >= 0 && errno)
		return error_errno(err, "cannot list '%s'", p->path);
	if (p->files)
		qsort(p->files, strv_length(p->files), sizeof *p->files, compare);
	return r;
}

static int add_rule(const struct policy *p, const char *file, struct ceiling *c, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", p->path, file), *text = NULL;
	_cleanup_close_ int fd = -EBADF;
	size_t size;
	int r;

	if (profile_is_mask(p->fd, file))
		return 0;
	r = fs_open_file(p->fd, file, &fd, err);
	if (r < 0)
		return error_prefix(err, "'%s'", p->path);
	r = check_owner(fd, path, p->owner, err);
	if (r < 0)
		return r;
	r = profile_read_file(fd, path, &text, &size, err);
	return r < 0 ? r : ceiling_add(c, text, size, path, err);
}

/* Returns 0 where there is no such directory. */
static int open_dir(const char *conf_dir, struct policy *p, struct error **err)
{
	_cleanup_(error_freep) struct error *missing = NULL;
	_cleanup_close_ int conf = -EBADF;
	int r;

	r = fs_open_dir(AT_FDCWD, conf_dir, &conf, &missing);
	if (r >= 0)
		r = fs_open_dir(conf, DIR_NAME, &p->fd, &missing);
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		error_move(err, TAKE_PTR(missing));
		return error_prefix(err, "'%s'", p->path);
	}
	r = check_owner(conf, conf_dir, p->owner, err);
	if (r >= 0)
		r = check_owner(p->fd, p->path, p->owner, err);
	return r < 0 ? r : 1;
}

static int load(struct policy *p, const char *conf_dir, struct ceiling *c, struct error **err)
{
	int r = open_dir(conf_dir, p, err);

	if (r <= 0)
		return r;
	r = list_files(p, err);
	for (char **file = p->files; r >= 0 && file && *file; file++)
		r = add_rule(p, *file, c, err);
	return r;
}

int ceiling_load_in(const char *conf_dir, uid_t owner, struct ceiling **ret, char ***ret_ignored,
		    struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s/" DIR_NAME, conf_dir);
	struct policy p = { .path = path, .owner = owner, .fd = -EBADF };
	_cleanup_(ceiling_freep) struct ceiling *c = ceiling_new();
	int r = load(&p, conf_dir, c, err);

	close_fd(p.fd);
	strv_free(p.files);
	if (r >= 0) {
		*ret = TAKE_PTR(c);
		if (ret_ignored)
			*ret_ignored = TAKE_PTR(p.ignored);
	}
	strv_free(p.ignored);
	return r < 0 ? error_prefix(err, "nothing may start, for the administrator's policy cannot "
					 "be used")
		     : 0;
}

int ceiling_load(struct ceiling **ret, char ***ret_ignored, struct error **err)
{
	return ceiling_load_in(VITRINE_CONF_DIR, 0, ret, ret_ignored, err);
}
