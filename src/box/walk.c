#include "box/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/openat2.h>
#include <string.h>

#include "base/fs.h"
#include "box/walk-private.h"

#define BUFFER_MAX (256U << 10)

static void closedirp(DIR **d)
{
	if (*d)
		closedir(*d);
}

int walk_open_beneath(int base, const char *path, int flags)
{
	return fs_open_beneath(
		base, *path ? path : ".", flags | O_NOFOLLOW,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV, 0);
}

void walk_leave_out(struct walk *w, const char *why)
{
	if (w->left)
		w->left(w->user, w->path.data ? w->path.data : "", why);
}

int walk_flush(struct walk *w, bool always, struct error **err)
{
	int r;

	if (!always && w->buffer.size < BUFFER_MAX)
		return 0;
	r = fs_write_all(w->out, w->buffer.data, w->buffer.size, err);
	w->buffer.size = 0;
	return r;
}

int walk_open_dir(struct walk *w, int dir, const char *name, unsigned depth, dev_t device)
{
	struct stat st;
	int fd;

	if (depth >= WALK_DEPTH_MAX) {
		walk_leave_out(w, "nested too deeply");
		return -ELOOP;
	}
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0) {
		int code = errno;

		walk_leave_out(w, strerror(code));
		return -code;
	}
	if (fstat(fd, &st) < 0 || st.st_dev != device) {
		close_fd(fd);
		walk_leave_out(w, "on another file system");
		return -EXDEV;
	}
	return fd;
}

static void path_cut(struct buf *path, size_t size)
{
	path->size = size;
	if (path->data)
		path->data[size] = '\0';
}

int walk_entries(struct walk *w, int fd, unsigned depth, walk_entry_fn *entry, void *data,
		 struct error **err)
{
	_cleanup_(closedirp) DIR *d = fdopendir(fd);
	size_t before = w->path.size;
	struct dirent *e;
	int r = 0;

	if (!d) {
		close_fd(fd);
		return error_errno(err, "cannot list a directory");
	}
	while (r >= 0 && !w->more && (e = readdir(d))) {
		struct stat st;

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (w->entries++ >= WALK_ENTRIES_MAX) {
			w->more = true;
			break;
		}
		if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* it is gone */
		buf_addf(&w->path, "%s%s", before && w->path.data[before - 1] != '/' ? "/" : "",
			 e->d_name);
		r = entry(w, dirfd(d), e->d_name, &st, depth, data, err);
		path_cut(&w->path, before);
	}
	return r;
}

/* --- sizes ------------------------------------------------------------------- */

struct sizes {
	uint64_t entries, bytes;
};

/* As much as it takes of the disk; a file of several names is shared by these. */
static int add_size(struct walk *w, int dir, const char *name, const struct stat *st,
		    unsigned depth, void *data, struct error **err)
{
	struct sizes *s = data;
	int fd;

	s->entries++;
	s->bytes += (uint64_t)st->st_blocks * 512 /
		    (S_ISDIR(st->st_mode) || !st->st_nlink ? 1 : st->st_nlink);
	if (!S_ISDIR(st->st_mode))
		return 0;
	fd = walk_open_dir(w, dir, name, depth + 1, st->st_dev);
	return fd < 0 ? 0 : walk_entries(w, fd, depth + 1, add_size, s, err);
}

static int walk_sizes(struct walk *w, const int *bases, struct error **err)
{
	for (size_t i = 0; i < w->order->n_roots; i++) {
		const struct walk_root *root = &w->order->roots[i];
		int fd = walk_open_beneath(bases[root->base], root->path, O_RDONLY | O_DIRECTORY);
		struct sizes s = { 0 };
		int r = fd < 0 ? 0 : walk_entries(w, fd, 0, add_size, &s, err);

		if (r < 0)
			return r;
		buf_addf(&w->buffer, "%" PRIu64 " %" PRIu64 "\n", s.entries, s.bytes);
	}
	return 0;
}

int walk_run(const struct walk_order *o, const int *bases, int old, int out, walk_left_fn *left,
	     void *user, struct error **err)
{
	struct walk w = { .order = o, .out = out, .left = left, .user = user };
	int r = 0;

	switch (o->verb) {
	case WALK_SIZES:
		r = walk_sizes(&w, bases, err);
		break;
	case WALK_SNAPSHOT:
		r = walk_snapshot(&w, bases, err);
		break;
	case WALK_CHANGES:
		r = walk_changes(&w, bases, old, err);
		break;
	case WALK_ARCHIVE:
		r = walk_archive(&w, bases, err);
		break;
	case WALK_REMOVE:
		r = walk_remove(o, bases, err);
		break;
	case WALK_VERB_MAX:
		break;
	}
	if (r >= 0)
		r = walk_flush(&w, true, err);
	buf_release(&w.buffer);
	buf_release(&w.path);
	return r;
}
