#include "image/generation.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/names.h"

#define SUFFIX	".json"
#define CURRENT "current"
#define NEXT	".next" /* the link that is going to be `current` */

static char *file_of(const char *name, uint32_t generation)
{
	return xasprintf("names/%s/%u" SUFFIX, name, generation);
}

/* 0 where it is no name of a generation's file. */
static uint32_t number_of(const char *file)
{
	_cleanup_free_ char *digits = NULL;
	uint32_t n;

	if (!name_has_suffix(file, SUFFIX) || *file == '0')
		return 0;
	digits = xstrndup(file, strlen(file) - strlen(SUFFIX));
	return parse_u32(digits, &n) < 0 ? 0 : n;
}

static bool is_generation(const char *file)
{
	return number_of(file) > 0;
}

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

int generation_current(const struct store *s, const char *name, uint32_t *ret, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("names/%s/" CURRENT, name);
	char target[32];
	ssize_t n = readlinkat(s->dir, path, target, sizeof target - 1);

	if (n < 0)
		return error_errno(err, "'%s/%s'", s->path, path);
	target[n] = '\0';
	*ret = number_of(target);
	if (*ret)
		return 0;
	return error_set(err, EBADMSG, "'%s/%s' is damaged: 'vitrine image rollback %s 1' mends it",
			 s->path, path, name);
}

int image_generations(const struct store *s, const char *name, uint32_t **ret, size_t *ret_n,
		      uint32_t *ret_current, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("names/%s", name);
	_cleanup_strv_ char **files = NULL;
	uint32_t *all;
	size_t n = 0;
	int r;

	r = names_in(s->dir, path, is_generation, &files, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return error_set(err, ENOENT, "no image '%s' in %s", name, s->path);
	}
	if (r < 0)
		return r;
	if (generation_current(s, name, ret_current, err) < 0) {
		*err = error_free(*err);
		*ret_current = 0;
	}
	all = xcalloc(strv_length(files) + 1, sizeof *all);
	for (char **file = files; file && *file; file++)
		all[n++] = number_of(*file);
	qsort(all, n, sizeof *all, by_number);
	*ret = all;
	*ret_n = n;
	return 0;
}

int generation_read(const struct store *s, const char *name, uint32_t generation,
		    struct manifest **ret, struct error **err)
{
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	_cleanup_free_ char *path = file_of(name, generation), *text = NULL, *what = NULL;
	size_t size;
	int r;

	r = fs_read(s->dir, path, MANIFEST_MAX, &text, &size, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return error_set(err, ENOENT, "image '%s' has no generation %u", name, generation);
	}
	if (r < 0)
		return r;
	what = xasprintf("'%s/%s'", s->path, path);
	r = manifest_parse(text, size, what, &m, err);
	if (r < 0)
		return r;
	if (strcmp(m->name, name) || m->generation != generation)
		return error_set(err, EBADMSG, "%s is that of another image", what);
	*ret = TAKE_PTR(m);
	return 0;
}

int generation_lock(const struct store *s, const char *name, uint32_t generation, int operation,
		    int *ret_fd, struct error **err)
{
	_cleanup_free_ char *path = file_of(name, generation);
	_cleanup_close_ int fd = -EBADF;
	struct stat held, there;
	int r;

	r = fs_open_file(s->dir, path, &fd, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		return error_set(err, EAGAIN, "image '%s' has no generation %u", name, generation);
	}
	if (r < 0)
		return r;
	if (flock(fd, operation | LOCK_NB) < 0 || fstat(fd, &held) < 0 ||
	    fstatat(s->dir, path, &there, AT_SYMLINK_NOFOLLOW) < 0) {
		if (errno == EWOULDBLOCK || errno == ENOENT)
			return error_set(err, EAGAIN, "image '%s' is in use", name);
		return error_errno(err, "cannot lock image '%s'", name);
	}
	if (held.st_ino != there.st_ino || held.st_dev != there.st_dev)
		return error_set(err, EAGAIN, "image '%s' was just replaced", name);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int generation_add(const struct store *s, const struct manifest *m, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("names/%s", m->name);
	_cleanup_free_ char *file = xasprintf("%u" SUFFIX, m->generation), *text = NULL;
	mode_t mode = s->kind == STORE_SYSTEM ? 0755 : 0700;
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = manifest_render(m, &text, err);
	if (r == 0)
		r = fs_make_dir(s->dir, path, mode, &dir, err);
	if (r == 0)
		r = fs_write(dir, file, text, strlen(text), 0644, err);
	return r;
}

int generation_switch(const struct store *s, const char *name, uint32_t generation,
		      struct error **err)
{
	_cleanup_free_ char *path = xasprintf("names/%s", name);
	_cleanup_free_ char *file = xasprintf("%u" SUFFIX, generation);
	_cleanup_close_ int dir = -EBADF;
	int r;

	r = fs_open_dir(s->dir, path, &dir, err);
	if (r < 0)
		return r;
	if ((unlinkat(dir, NEXT, 0) < 0 && errno != ENOENT) || symlinkat(file, dir, NEXT) < 0 ||
	    renameat(dir, NEXT, dir, CURRENT) < 0 || fsync(dir) < 0)
		return error_errno(err, "cannot switch image '%s' to generation %u", name,
				   generation);
	return 0;
}

int generation_remove(const struct store *s, const char *name, uint32_t generation,
		      struct error **err)
{
	_cleanup_free_ char *path = file_of(name, generation);

	if (unlinkat(s->dir, path, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s/%s'", s->path, path);
	return 0;
}

int generation_remove_all(const struct store *s, const char *name, const uint32_t *generations,
			  size_t n, struct error **err)
{
	_cleanup_free_ char *link = xasprintf("names/%s/" CURRENT, name);
	_cleanup_free_ char *path = xasprintf("names/%s", name);
	int r = 0;

	if (unlinkat(s->dir, link, 0) < 0 && errno != ENOENT)
		return error_errno(err, "cannot remove '%s/%s'", s->path, link);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = generation_remove(s, name, generations[i], err);
	return r < 0 ? r : fs_remove_tree(s->dir, path, err);
}
