#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/fs.h"
#include "base/strv.h"
#include "box/walk-private.h"

#define OPAQUE	    "user.overlay.opaque"
#define LOWERS_MAX  64U
#define CHANGES_MAX 200000U

/* --- how it was -------------------------------------------------------------- */

/* One file as it was, followed by its path inside and a NUL; not aligned. */
struct old_file {
	uint32_t mode;
	uint32_t modified_ns;
	int64_t modified_s;
	uint64_t size;
};

struct old {
	const char *data;
	size_t size;
	const char **files; /* sorted by path */
	bool *seen;
	size_t n;
};

static const char *path_of(const char *file)
{
	return file + sizeof(struct old_file);
}

static int compare_files(const void *a, const void *b)
{
	return strcmp(path_of(*(const char *const *)a), path_of(*(const char *const *)b));
}

static ssize_t find(const struct old *old, const char *path)
{
	size_t low = 0, high = old->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, path_of(old->files[middle]));

		if (!order)
			return (ssize_t)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return -1;
}

static int load(int fd, struct old *ret, struct error **err)
{
	struct stat st;
	size_t room = 0;
	void *data;

	if (fd < 0)
		return 0;
	if (fstat(fd, &st) < 0)
		return error_errno(err, "cannot stat the snapshot");
	if (st.st_size == 0)
		return 0;
	data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		return error_errno(err, "cannot read the snapshot");
	ret->data = data;
	ret->size = (size_t)st.st_size;
	for (size_t at = 0; at < ret->size;) {
		size_t left = ret->size - at;
		size_t length = left > sizeof(struct old_file)
					? strnlen(path_of(data) + at,
						  left - sizeof(struct old_file))
					: left;

		if (length + sizeof(struct old_file) >= left)
			return error_set(err, EPROTO, "the snapshot is cut off");
		if (ret->n == room) {
			room = room ? 2 * room : 1024;
			ret->files = xreallocarray(ret->files, room, sizeof *ret->files);
		}
		ret->files[ret->n++] = ret->data + at;
		at += sizeof(struct old_file) + length + 1;
	}
	qsort(ret->files, ret->n, sizeof *ret->files, compare_files);
	ret->seen = xcalloc(ret->n, sizeof *ret->seen);
	return 0;
}

static void old_release(struct old *o)
{
	if (o->data)
		(void)munmap((void *)o->data, o->size);
	free(o->files);
	free(o->seen);
}

static int note(struct walk *w, int dir, const char *name, const struct stat *st, unsigned depth,
		void *data, struct error **err)
{
	const struct old_file file = {
		.mode = st->st_mode,
		.modified_s = st->st_mtim.tv_sec,
		.modified_ns = (uint32_t)st->st_mtim.tv_nsec,
		.size = (uint64_t)st->st_size,
	};
	int fd, r;

	(void)data;
	buf_add(&w->buffer, &file, sizeof file);
	buf_add(&w->buffer, w->path.data, w->path.size + 1);
	r = walk_flush(w, false, err);
	if (r < 0 || !S_ISDIR(st->st_mode))
		return r;
	fd = walk_open_dir(w, dir, name, depth + 1, st->st_dev);
	return fd < 0 ? 0 : walk_entries(w, fd, depth + 1, note, NULL, err);
}

/* The path so far is what the root is called inside. */
static int each_root(struct walk *w, const int *bases, walk_entry_fn *entry, void *data, bool upper,
		     struct error **err)
{
	int r = 0;

	for (size_t i = 0; i < w->order->n_roots && r >= 0; i++) {
		const struct walk_root *root = &w->order->roots[i];
		int fd = root->upper != upper ? -EBADF
					      : walk_open_beneath(bases[root->base], root->path,
								  O_RDONLY | O_DIRECTORY);

		if (fd < 0)
			continue;
		w->path.size = 0;
		buf_adds(&w->path, root->inside);
		r = walk_entries(w, fd, 0, entry, data, err);
	}
	return r;
}

int walk_snapshot(struct walk *w, const int *bases, struct error **err)
{
	/* Of more than WALK_ENTRIES_MAX the rest will be taken for new, and that there are more be
	 * said. */
	return each_root(w, bases, note, NULL, false, err);
}

/* --- how it is --------------------------------------------------------------- */

struct compare {
	struct old old;
	unsigned n; /* changes so far */
	int lowers[LOWERS_MAX];
	size_t n_lowers;
};

static char type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFDIR:
		return 'd';
	case S_IFREG:
		return 'f';
	case S_IFLNK:
		return 'l';
	default:
		return 'o';
	}
}

static int tell(struct walk *w, struct compare *c, char kind, mode_t mode, uint64_t size,
		const char *path, struct error **err)
{
	if (++c->n > CHANGES_MAX) {
		w->more = true;
		return 0;
	}
	buf_addf(&w->buffer, "%c %c %" PRIu64 " ", kind, type_of(mode), size);
	buf_add(&w->buffer, path, strlen(path) + 1);
	return walk_flush(w, false, err);
}

static int tell_here(struct walk *w, struct compare *c, char kind, const struct stat *st,
		     struct error **err)
{
	return tell(w, c, kind, st->st_mode, S_ISDIR(st->st_mode) ? 0 : (uint64_t)st->st_size,
		    w->path.data, err);
}

/* The kernel alone sets the time of a change of status. */
static bool has_changed(const struct walk *w, const struct stat *st, const char *file)
{
	struct old_file was;

	memcpy(&was, file, sizeof was);
	if ((st->st_mode & S_IFMT) != (was.mode & S_IFMT))
		return true;
	if (S_ISDIR(st->st_mode))
		return false;
	return st->st_mode != was.mode || (uint64_t)st->st_size != was.size ||
	       st->st_mtim.tv_sec != was.modified_s ||
	       (uint32_t)st->st_mtim.tv_nsec != was.modified_ns ||
	       st->st_ctim.tv_sec > w->order->since_s ||
	       (st->st_ctim.tv_sec == w->order->since_s &&
		(uint32_t)st->st_ctim.tv_nsec >= w->order->since_ns);
}

static int compare_entry(struct walk *w, int dir, const char *name, const struct stat *st,
			 unsigned depth, void *data, struct error **err)
{
	struct compare *c = data;
	ssize_t at = find(&c->old, w->path.data);
	int fd, r = 0;

	if (at >= 0)
		c->old.seen[at] = true;
	if (at < 0 && !(S_ISDIR(st->st_mode) && strv_contains(w->order->skip, w->path.data)))
		r = tell_here(w, c, 'c', st, err);
	else if (at >= 0 && has_changed(w, st, c->old.files[at]))
		r = tell_here(w, c, 'm', st, err);
	if (r < 0 || !S_ISDIR(st->st_mode))
		return r;
	fd = walk_open_dir(w, dir, name, depth + 1, st->st_dev);
	return fd < 0 ? 0 : walk_entries(w, fd, depth + 1, compare_entry, c, err);
}

/* Of a directory that is gone itself what was in it is not told. */
static int tell_removed(struct walk *w, struct compare *c, struct error **err)
{
	for (size_t i = 0; i < c->old.n && !w->more; i++) {
		const char *path = path_of(c->old.files[i]), *slash = strrchr(path, '/');
		_cleanup_free_ char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);
		struct old_file was;
		ssize_t above;
		int r;

		if (c->old.seen[i])
			continue;
		above = find(&c->old, parent);
		if (above >= 0 && !c->old.seen[above])
			continue;
		memcpy(&was, c->old.files[i], sizeof was);
		r = tell(w, c, 'r', was.mode, 0, path, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* --- the upper layer of an overlay ------------------------------------------- */

static bool is_whiteout(const struct stat *st)
{
	return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

/* In the topmost layer below that says anything of it. */
static bool was_there(const struct compare *c, const char *path, struct stat *ret)
{
	for (size_t i = 0; i < c->n_lowers; i++) {
		_cleanup_close_ int fd = walk_open_beneath(c->lowers[i], path, O_PATH);

		if (fd >= 0 && fstat(fd, ret) == 0)
			return !is_whiteout(ret);
	}
	return false;
}

static bool is_opaque(int fd)
{
	char value;

	return fgetxattr(fd, OPAQUE, &value, 1) == 1 && value == 'y';
}

static int compare_upper(struct walk *w, int dir, const char *name, const struct stat *st,
			 unsigned depth, void *data, struct error **err)
{
	struct compare *c = data;
	struct stat was;
	bool there = was_there(c, w->path.data + 1, &was);
	int fd, r = 0;

	if (is_whiteout(st))
		return there ? tell(w, c, 'r', was.st_mode, 0, w->path.data, err) : 0;
	if (!S_ISDIR(st->st_mode))
		return tell_here(w, c, there ? 'm' : 'c', st, err);
	fd = walk_open_dir(w, dir, name, depth + 1, st->st_dev);
	if (!there)
		r = tell_here(w, c, 'c', st, err);
	else if (!S_ISDIR(was.st_mode) || (fd >= 0 && is_opaque(fd)))
		r = tell_here(w, c, 'm', st, err);
	if (r < 0)
		close_fd(fd);
	return r < 0 || fd < 0 ? r : walk_entries(w, fd, depth + 1, compare_upper, c, err);
}

static int open_lowers(const struct walk_order *o, const int *bases, struct compare *c,
		       struct error **err)
{
	for (char **path = o->lowers; path && *path; path++) {
		int fd;

		if (c->n_lowers == LOWERS_MAX)
			return error_set(err, E2BIG, "too many layers");
		fd = **path == '/' ? open(*path, O_PATH | O_DIRECTORY | O_CLOEXEC)
				   : walk_open_beneath(bases[0], *path, O_PATH | O_DIRECTORY);
		if (fd < 0)
			return error_errno(err, "cannot open a layer of the image");
		c->lowers[c->n_lowers++] = fd;
	}
	return 0;
}

static void compare_release(struct compare *c)
{
	old_release(&c->old);
	while (c->n_lowers)
		close_fd(c->lowers[--c->n_lowers]);
}

int walk_changes(struct walk *w, const int *bases, int old, struct error **err)
{
	_cleanup_(compare_release) struct compare c = { 0 };
	int r;

	r = load(old, &c.old, err);
	if (r >= 0)
		r = open_lowers(w->order, bases, &c, err);
	if (r >= 0)
		r = each_root(w, bases, compare_entry, &c, false, err);
	if (r >= 0 && !w->more)
		r = tell_removed(w, &c, err);
	if (r >= 0 && !w->more)
		r = each_root(w, bases, compare_upper, &c, true, err);
	if (r >= 0)
		buf_add(&w->buffer, w->more ? "more" : "end", w->more ? 5 : 4);
	return r;
}
