#include "image/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/names.h"

#define IMAGES "%s/.local/share/vitrine/images"

int image_check_name(const char *name, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(name, NAME_LENGTH_MAX);

	if (name_is_valid(name))
		return 0;
	return error_set(err, EINVAL,
			 "'%s' is no name for an image: use up to %d letters a-z, digits and '-'",
			 shown, NAME_LENGTH_MAX);
}

int image_open_all(const char *home, bool make, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *path = xasprintf(IMAGES, home);

	if (make)
		return fs_make_path(path, 0700, ret_fd, err);
	return fs_open_dir(AT_FDCWD, path, ret_fd, err);
}

void image_list_free(struct image_info *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		image_info_release(&list[i]);
	free(list);
}

int image_list(const char *home, struct image_info **ret, size_t *ret_n, struct error **err)
{
	_cleanup_close_ int images = -EBADF;
	_cleanup_strv_ char **names = NULL;
	struct image_info *list;
	size_t n = 0;
	int r;

	r = image_open_all(home, false, &images, err);
	if (r == 0)
		r = names_in(images, ".", name_is_valid, &names, err);
	if (r == -ENOENT)
		*err = error_free(*err);
	else if (r < 0)
		return r;
	list = xcalloc(strv_length(names) + 1, sizeof *list);
	for (char **name = names; name && *name; name++) {
		r = manifest_read(images, *name, &list[n], err);
		if (r == 0) {
			n++;
		} else if (r == -ENOENT) {
			*err = error_free(*err); /* not an image, or removed meanwhile */
		} else {
			image_list_free(list, n);
			return r;
		}
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

static int no_image(int images, const char *name, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	const char *near;

	*err = error_free(*err);
	if (images >= 0 && names_in(images, ".", name_is_valid, &names, err) < 0)
		*err = error_free(*err); /* then there is nothing to suggest */
	near = text_suggest(name, names);
	if (near)
		return error_set(err, ENOENT, "no image '%s': did you mean '%s'?", name, near);
	return error_set(err, ENOENT, "no image '%s': make it with 'vitrine image build %s'", name,
			 name);
}

/* NAME/image.json with a lock (flock(2)), and surely that of the image that is there now: between
 * opening and locking, another process may have put a new image in its place. */
static int lock_manifest(int images, const char *name, int operation, int *ret_fd,
			 struct error **err)
{
	for (;;) {
		_cleanup_close_ int dir = -EBADF, fd = -EBADF;
		struct stat held, there;
		_cleanup_free_ char *path = xasprintf("%s/" MANIFEST_NAME, name);
		int r;

		r = fs_open_dir(images, name, &dir, err);
		if (r == 0)
			r = fs_open_file(dir, MANIFEST_NAME, &fd, err);
		if (r < 0)
			return r;
		if (flock(fd, operation | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK)
				return error_errno(err, "cannot lock image '%s'", name);
			return error_set(err, EBUSY,
					 operation == LOCK_EX
						 ? "image '%s' is in use: end its sandboxes first"
						 : "image '%s' is just being removed or replaced",
					 name);
		}
		if (fstat(fd, &held) == 0 && fstatat(images, path, &there, 0) == 0 &&
		    held.st_ino == there.st_ino && held.st_dev == there.st_dev) {
			*ret_fd = TAKE_FD(fd);
			return 0;
		}
	}
}

int image_lock_alone(int images, const char *name, int *ret_fd, struct error **err)
{
	return lock_manifest(images, name, LOCK_EX, ret_fd, err);
}

int image_lock(const char *home, const char *name, int *ret_fd, struct error **err)
{
	_cleanup_close_ int images = -EBADF;
	int r;

	r = image_check_name(name, err);
	if (r < 0)
		return r;
	r = image_open_all(home, false, &images, err);
	if (r == 0)
		r = lock_manifest(images, name, LOCK_SH, ret_fd, err);
	if (r == -ENOENT)
		return no_image(images, name, err);
	return r;
}

int image_find(const char *home, const char *name, char **ret_root, struct error **err)
{
	_cleanup_close_ int images = -EBADF, dir = -EBADF, root = -EBADF, manifest = -EBADF;
	int r;

	r = image_check_name(name, err);
	if (r < 0)
		return r;
	r = image_open_all(home, false, &images, err);
	if (r == 0)
		r = fs_open_dir(images, name, &dir, err);
	if (r == 0)
		r = fs_open_file(dir, MANIFEST_NAME, &manifest, err);
	if (r == 0)
		r = fs_open_dir(dir, "root", &root, err);
	if (r == -ENOENT)
		return no_image(images, name, err);
	if (r < 0)
		return error_prefix(err, "image '%s'", name);
	*ret_root = xasprintf(IMAGES "/%s/root", home, name);
	return 0;
}

int image_package(const char *home, const char *name, const char *package, char **ret_suite,
		  char **ret_version, struct error **err)
{
	_cleanup_(image_info_release) struct image_info info = { 0 };
	_cleanup_close_ int images = -EBADF;
	int r;

	r = image_check_name(name, err);
	if (r < 0)
		return r;
	r = image_open_all(home, false, &images, err);
	if (r == 0)
		r = manifest_read(images, name, &info, err);
	if (r == 0)
		r = manifest_read_version(images, name, package, ret_version, err);
	if (r == -ENOENT)
		return no_image(images, name, err);
	if (r < 0)
		return r;
	*ret_suite = TAKE_PTR(info.suite);
	return 0;
}

int image_remove(const char *home, const char *name, struct error **err)
{
	_cleanup_free_ char *removed = xasprintf(".%s.%d.old", name, getpid());
	_cleanup_close_ int images = -EBADF, dir = -EBADF, lock = -EBADF;
	int r;

	r = image_check_name(name, err);
	if (r < 0)
		return r;
	r = image_open_all(home, false, &images, err);
	if (r == 0)
		r = fs_open_dir(images, name, &dir, err);
	if (r == -ENOENT)
		return no_image(images, name, err);
	if (r < 0)
		return r;
	r = image_lock_alone(images, name, &lock, err);
	if (r == -ENOENT)
		*err = error_free(*err); /* not whole: nobody can use it */
	else if (r < 0)
		return r;
	/* Whoever sweeps up after dead processes leaves a locked directory alone. */
	if (flock(dir, LOCK_EX | LOCK_NB) < 0 || renameat(images, name, images, removed) < 0)
		return error_errno(err, "cannot remove image '%s'", name);
	r = fs_remove_tree(images, removed, err);
	if (r < 0)
		return error_prefix(err, "cannot remove all of image '%s'", name);
	return 0;
}
