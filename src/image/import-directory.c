#include "image/import-private.h"

#include <fcntl.h>
#include <search.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/beneath.h"
#include "image/names.h"
#include "image/tar.h"

#define SHOWN_MAX 200 /* bytes of a name in a message */

/* A file with several names, by its number in the file system. */
struct linked {
	ino_t inode;
	char *path; /* the first */
};

struct walk {
	struct importing *importing;
	struct unpacker *unpacker;
	char *data;
	struct buf path; /* of the directory that is being read, with a slash at its end */
	void *linked;	 /* a tree of struct linked (tsearch(3)) */
	dev_t device;
	unsigned depth;
};

static int by_inode(const void *a, const void *b)
{
	ino_t x = ((const struct linked *)a)->inode, y = ((const struct linked *)b)->inode;

	return (x > y) - (x < y);
}

static void linked_free(void *p)
{
	free(((struct linked *)p)->path);
	free(p);
}

static void walk_release(struct walk *w)
{
	free(w->data);
	buf_release(&w->path);
	tdestroy(w->linked, linked_free);
}

static char *path_of(const struct walk *w, const char *name)
{
	return xasprintf("%s%s", w->path.data ? w->path.data : "", name);
}

static int fail(const char *path, struct error **err)
{
	int code = errno;
	_cleanup_free_ char *shown = text_escape(path, SHOWN_MAX);

	errno = code;
	return error_errno(err, "cannot read '%s'", shown);
}

static int refuse(const char *path, const char *why, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(path, SHOWN_MAX);

	return error_set(err, EINVAL, "'%s': %s", shown, why);
}

static int send(struct walk *w, const struct tar_member *m, struct error **err)
{
	_cleanup_buf_ struct buf header = { 0 };

	tar_add(&header, m);
	return unpacker_write(w->unpacker, header.data, header.size, err);
}

static uint64_t modified_of(const struct stat *st)
{
	return st->st_mtim.tv_sec < 0 ? 0 : (uint64_t)st->st_mtim.tv_sec;
}

/* The first name of a file that has several, or NULL where this is it. */
static const char *first_name(struct walk *w, const struct stat *st, const char *path)
{
	struct linked *new = xmalloc(sizeof *new), **found;

	*new = (struct linked){ .inode = st->st_ino, .path = xstrdup(path) };
	found = tsearch(new, &w->linked, by_inode);
	if (!found)
		abort();
	if (*found == new)
		return NULL;
	linked_free(new);
	return (*found)->path;
}

static int send_content(struct walk *w, int fd, const char *path, uint64_t size, struct error **err)
{
	static const char zeros[TAR_BLOCK];
	uint64_t left = size;

	while (left && !w->unpacker->gone) {
		ssize_t n = read(fd, w->data, left < TRANSFER_PIECE ? left : TRANSFER_PIECE);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(path, err);
		if (n == 0)
			return refuse(path, "it changes while it is read", err);
		left -= (uint64_t)n;
		r = unpacker_write(w->unpacker, w->data, (size_t)n, err);
		if (r == 0)
			r = transfer_add(&w->importing->transfer, (uint64_t)n, err);
		if (r < 0)
			return r;
	}
	return unpacker_write(w->unpacker, zeros, tar_padding(size), err);
}

static int send_file(struct walk *w, int dir, const char *name, const char *path,
		     struct error **err)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	const char *first;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(path, err);
	if (!S_ISREG(st.st_mode))
		return refuse(path, "it changes while it is read", err);
	first = st.st_nlink > 1 ? first_name(w, &st, path) : NULL;
	r = send(w,
		 &(struct tar_member){ .type = first ? TAR_HARD_LINK : TAR_FILE,
				       .name = path,
				       .target = first,
				       .mode = st.st_mode & 07777,
				       .modified = modified_of(&st),
				       .size = first ? 0 : (uint64_t)st.st_size },
		 err);
	if (r < 0 || first)
		return r;
	return send_content(w, fd, path, (uint64_t)st.st_size, err);
}

static int send_link(struct walk *w, int dir, const char *name, const char *path,
		     const struct stat *st, struct error **err)
{
	char target[BENEATH_NAME_MAX + 1];
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);

	if (n < 0)
		return fail(path, err);
	target[n] = '\0';
	return send(w,
		    &(struct tar_member){ .type = TAR_LINK,
					  .name = path,
					  .target = target,
					  .mode = 0777,
					  .modified = modified_of(st) },
		    err);
}

static int send_entries(struct walk *w, int dir, struct error **err);

static int send_dir(struct walk *w, int parent, const char *name, const char *path,
		    struct error **err)
{
	_cleanup_close_ int fd = openat(parent, name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t above = w->path.size;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fail(path, err);
	r = send(w,
		 &(struct tar_member){ .type = TAR_DIR,
				       .name = path,
				       .mode = st.st_mode & 07777,
				       .modified = modified_of(&st) },
		 err);
	if (r < 0 || st.st_dev != w->device) /* what is mounted there is not part of it */
		return r;
	if (w->depth >= BENEATH_DEPTH_MAX)
		return refuse(path, "nested too deeply", err);
	buf_addf(&w->path, "%s/", name);
	w->depth++;
	r = send_entries(w, fd, err);
	w->depth--;
	w->path.data[w->path.size = above] = '\0';
	return r;
}

static int send_entry(struct walk *w, int dir, const char *name, struct error **err)
{
	_cleanup_free_ char *path = path_of(w, name);
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(path, err);
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return send_dir(w, dir, name, path, err);
	case S_IFREG:
		return send_file(w, dir, name, path, err);
	case S_IFLNK:
		return send_link(w, dir, name, path, &st, err);
	default:
		return 0; /* dropped, as it would be out of an archive */
	}
}

static bool is_any(const char *name)
{
	return *name;
}

static int send_entries(struct walk *w, int dir, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	int r = names_in(dir, ".", is_any, &names, err);

	for (char **name = names; r == 0 && name && *name && !w->unpacker->gone; name++)
		r = send_entry(w, dir, *name, err);
	return r;
}

static int send_all(struct walk *w, int dir, struct error **err)
{
	_cleanup_buf_ struct buf end = { 0 };
	struct stat st;
	int r;

	if (fstat(dir, &st) < 0)
		return error_errno(err, "cannot read the directory");
	w->device = st.st_dev;
	r = send_entries(w, dir, err);
	if (r < 0)
		return r;
	tar_end(&end);
	return unpacker_write(w->unpacker, end.data, end.size, err);
}

int import_directory(struct importing *i, int dir, struct error **err)
{
	_cleanup_(unpacker_release) struct unpacker u = UNPACKER_NONE;
	_cleanup_(walk_release) struct walk w = {
		.importing = i,
		.unpacker = &u,
		.data = xmalloc(TRANSFER_PIECE),
	};
	struct unpacker_options o = { 0 };
	_cleanup_free_ char *line = NULL;
	int r;

	r = stage_add_layer(&i->stage, NULL, &o.root, err);
	if (r == 0)
		r = unpacker_start(&o, &u, err);
	if (r < 0)
		return r;
	transfer_begin(&i->transfer, "copying", 0, 0, 0);
	r = send_all(&w, dir, err);
	return r < 0 ? r : unpacker_end(&u, &line, err);
}
