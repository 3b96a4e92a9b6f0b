#include "profile/drop-ins.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/file.h"
#include "profile/load.h"

#define SUFFIX	  ".conf"
#define QUOTE_MAX 64 /* bytes of a name that a message shows */

struct drop_in {
	char *file; /* X.conf */
	char *path; /* of the one that counts */
	int fd;	    /* or -EBADF: masked */
};

struct found {
	struct drop_in items[PROFILE_DROP_INS_MAX];
	size_t n;
};

static void found_release(struct found *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->items[i].file);
		free(f->items[i].path);
		close_fd(f->items[i].fd);
	}
}

/* Other files are left alone, as editors leave theirs behind. */
static bool is_drop_in(const char *file)
{
	size_t n = strlen(file), suffix = sizeof SUFFIX - 1;

	return n > suffix && *file != '.' && !strcmp(file + n - suffix, SUFFIX);
}

/* The entry of that name, which a later directory decides anew; or a new one. NULL: no room. */
static struct drop_in *find_or_add(struct found *f, const char *file)
{
	for (size_t i = 0; i < f->n; i++)
		if (!strcmp(f->items[i].file, file))
			return &f->items[i];
	if (f->n == PROFILE_DROP_INS_MAX)
		return NULL;
	f->items[f->n] = (struct drop_in){ .file = xstrdup(file), .fd = -EBADF };
	return &f->items[f->n++];
}

static int add_file(struct found *f, int dirfd, const char *dir, const char *file,
		    struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	struct drop_in *item;
	int r;

	if (!text_is_plain(file)) {
		_cleanup_free_ char *shown = text_escape(file, QUOTE_MAX);

		return error_set(err, EINVAL, "'%s' is not a name for a file here", shown);
	}
	if (!profile_is_mask(dirfd, file)) {
		r = fs_open_file(dirfd, file, &fd, err);
		if (r < 0)
			return r;
	}
	item = find_or_add(f, file);
	if (!item)
		return error_set(err, E2BIG, "more than %u drop-ins", PROFILE_DROP_INS_MAX);
	free(item->path);
	close_fd(item->fd);
	item->path = xasprintf("%s/%s", dir, file);
	item->fd = TAKE_FD(fd);
	return 0;
}

static int add_dir(struct found *f, const char *path, struct error **err)
{
	_cleanup_(closedirp) DIR *d = NULL;
	struct dirent *e;
	int r;

	r = profile_list_open(path, &d, err);
	if (r <= 0)
		return r;
	while ((e = readdir(d))) {
		if (!is_drop_in(e->d_name))
			continue;
		r = add_file(f, dirfd(d), path, e->d_name, err);
		if (r < 0)
			return error_prefix(err, "'%s'", path);
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct drop_in *one = a, *other = b;

	return strcmp(one->file, other->file);
}

static int read_all(struct found *f, char *const *dirs, const char *name, drop_in_fn *fn,
		    void *user, struct error **err)
{
	int r = 0;

	for (; dirs && *dirs && r >= 0; dirs++) {
		_cleanup_free_ char *path = xasprintf("%s/%s%s.d", *dirs, name, PROFILE_SUFFIX);

		r = add_dir(f, path, err);
	}
	qsort(f->items, f->n, sizeof *f->items, compare);
	for (size_t i = 0; i < f->n && r >= 0; i++)
		if (f->items[i].fd >= 0)
			r = fn(user, f->items[i].fd, f->items[i].path, err);
	return r;
}

int drop_ins_read(char *const *dirs, const char *name, drop_in_fn *fn, void *user,
		  struct error **err)
{
	struct found f = { .n = 0 };
	int r = read_all(&f, dirs, name, fn, user, err);

	found_release(&f);
	return r;
}
