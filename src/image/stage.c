#include "image/stage.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/strv.h"
#include "image/names.h"
#include "image/store.h"

/* .NAME.PID.new and .NAME.PID.old */
static bool is_temporary(const char *name)
{
	return *name == '.' && (name_has_suffix(name, ".new") || name_has_suffix(name, ".old"));
}

static bool is_of(const char *temporary, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(temporary + 1, name, n) && temporary[1 + n] == '.' &&
	       name_has_suffix(temporary, ".new");
}

/* Removes what dead processes left. */
static int sweep(int images, const char *name, struct error **err)
{
	_cleanup_strv_ char **temporary = NULL;
	int r;

	r = names_in(images, ".", is_temporary, &temporary, err);
	if (r < 0)
		return r;
	for (char **t = temporary; t && *t; t++) {
		_cleanup_close_ int dir = -EBADF;

		if (fs_open_dir(images, *t, &dir, err) < 0 ||
		    (flock(dir, LOCK_EX | LOCK_NB) == 0 && fs_remove_tree(images, *t, err) < 0)) {
			/* Not in the way of the new image, and tried again next time. */
			*err = error_free(*err);
			continue;
		}
		if (is_of(*t, name) && faccessat(images, *t, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return error_set(err, EBUSY,
					 "image '%s' is just being built by another process", name);
	}
	return 0;
}

/* A user of the old image is better found before the work than after it. */
static int check_unused(int images, const char *name, struct error **err)
{
	_cleanup_close_ int lock = -EBADF;
	int r = image_lock_alone(images, name, &lock, err);

	if (r != -ENOENT)
		return r;
	*err = error_free(*err);
	return 0;
}

int stage_begin(const char *home, const char *name, struct stage *ret, struct error **err)
{
	_cleanup_(stage_release) struct stage s = STAGE_NONE;
	_cleanup_close_ int order = -EBADF;
	int r;

	r = image_open_all(home, true, &s.images, err);
	if (r < 0)
		return r;
	/* One process at a time looks, and makes a directory that the next one finds locked. */
	order = openat(s.images, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (order < 0 || flock(order, LOCK_EX) < 0)
		return error_errno(err, "cannot lock the images");
	r = check_unused(s.images, name, err);
	if (r == 0)
		r = sweep(s.images, name, err);
	if (r < 0)
		return r;
	s.name = xstrdup(name);
	s.temporary = xasprintf(".%s.%d.new", name, getpid());
	r = fs_make_dir(s.images, s.temporary, 0755, &s.dir, err);
	if (r < 0)
		return r;
	if (flock(s.dir, LOCK_EX | LOCK_NB) < 0)
		return error_errno(err, "cannot lock '%s'", s.temporary);
	r = fs_make_dir(s.dir, "root", 0755, &s.root, err);
	if (r < 0)
		return r;
	if (fchmod(s.root, 0755) < 0)
		return error_errno(err, "cannot make the root directory");
	*ret = s;
	s = STAGE_NONE;
	return 0;
}

int stage_commit(struct stage *s, const char *manifest, struct error **err)
{
	_cleanup_close_ int lock = -EBADF;
	bool replaces;
	int r;

	r = fs_write(s->dir, MANIFEST_NAME, manifest, strlen(manifest), 0644, err);
	if (r < 0)
		return r;
	r = image_lock_alone(s->images, s->name, &lock, err);
	if (r < 0 && r != -ENOENT)
		return r;
	*err = error_free(*err);
	replaces = faccessat(s->images, s->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	if (renameat2(s->images, s->temporary, s->images, s->name,
		      replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE) < 0)
		return error_errno(err, "cannot put image '%s' in its place", s->name);
	/* The new image is there; what is left of the old one is swept up later if need be. */
	if (replaces && fs_remove_tree(s->images, s->temporary, err) < 0)
		*err = error_free(*err);
	free(s->temporary);
	s->temporary = NULL;
	return 0;
}

void stage_release(struct stage *s)
{
	struct error *error = NULL;

	if (s->temporary && fs_remove_tree(s->images, s->temporary, &error) < 0)
		error_free(error); /* the next build sweeps it up */
	close_fd(s->images);
	close_fd(s->dir);
	close_fd(s->root);
	free(s->name);
	free(s->temporary);
	*s = STAGE_NONE;
}
