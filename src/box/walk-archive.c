#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "base/fs.h"
#include "base/tar.h"
#include "box/walk-private.h"

#define PIECE_MAX (64U << 10)
#define WHITEOUT_NAME                                                              \
	".wh." /* what a name begins with that would not be a file where this goes \
		*/

struct archive {
	uint64_t bytes; /* of files, so far */
	dev_t device;
};

static int add_header(struct walk *w, enum tar_type type, const struct stat *st, const char *target,
		      struct error **err)
{
	const struct tar_entry e = {
		.type = type,
		.name = w->path.data,
		.target = target,
		.mode = st->st_mode & 0777, /* no set-id bits */
		.size = (uint64_t)st->st_size,
		.modified = st->st_mtim.tv_sec,
	};

	tar_add_header(&w->buffer, &e);
	return walk_flush(w, false, err);
}

/* As many bytes as were announced, whatever becomes of the file meanwhile. */
static int add_content(struct walk *w, int fd, uint64_t size, struct error **err)
{
	static const char zeros[PIECE_MAX];
	char piece[PIECE_MAX];
	bool short_file = false;

	for (uint64_t left = size; left;) {
		size_t want = left < sizeof piece ? (size_t)left : sizeof piece;
		ssize_t n = short_file ? 0 : read(fd, piece, want);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 && !short_file) {
			short_file = true;
			walk_leave_out(w,
				       n < 0 ? "its end cannot be read"
					     : "it became shorter: its end is filled with zeros");
			continue;
		}
		buf_add(&w->buffer, short_file ? zeros : piece, short_file ? want : (size_t)n);
		left -= short_file ? want : (size_t)n;
		r = walk_flush(w, false, err);
		if (r < 0)
			return r;
	}
	buf_add(&w->buffer, zeros, tar_padding(size));
	return 0;
}

/* A FIFO, or a file that somebody has a lease of, would block otherwise. */
static int add_file(struct walk *w, struct archive *a, int dir, const char *name,
		    struct error **err)
{
	_cleanup_close_ int fd = openat(dir, name,
					O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0) {
		walk_leave_out(w, errno == EWOULDBLOCK ? "in use" : strerror(errno));
		return 0;
	}
	if (!S_ISREG(st.st_mode)) {
		walk_leave_out(w, "it is no file any more");
		return 0;
	}
	if (st.st_size < 0 || (uint64_t)st.st_size > w->order->bytes_max - a->bytes) {
		walk_leave_out(w, "too large");
		return 0;
	}
	a->bytes += (uint64_t)st.st_size;
	r = add_header(w, TAR_FILE, &st, NULL, err);
	return r < 0 ? r : add_content(w, fd, (uint64_t)st.st_size, err);
}

static int add_link(struct walk *w, int dir, const char *name, const struct stat *st,
		    struct error **err)
{
	char target[PATH_MAX] = "";

	if (!w->order->links || readlinkat(dir, name, target, sizeof target - 1) <= 0) {
		walk_leave_out(w, "a link");
		return 0;
	}
	return add_header(w, TAR_LINK, st, target, err);
}

static int add_entry(struct walk *w, int dir, const char *name, const struct stat *st,
		     unsigned depth, void *data, struct error **err)
{
	struct archive *a = data;
	int fd, r;

	if (!strncmp(name, WHITEOUT_NAME, strlen(WHITEOUT_NAME))) {
		walk_leave_out(w, "the name has another meaning in an archive");
		return 0;
	}
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
		return add_file(w, a, dir, name, err);
	case S_IFLNK:
		return add_link(w, dir, name, st, err);
	case S_IFDIR:
		fd = walk_open_dir(w, dir, name, depth + 1, a->device);
		if (fd < 0)
			return 0;
		r = add_header(w, TAR_DIR, st, NULL, err);
		if (r < 0)
			close_fd(fd);
		return r < 0 ? r : walk_entries(w, fd, depth + 1, add_entry, a, err);
	default:
		walk_leave_out(w, "a device, socket or FIFO");
		return 0;
	}
}

static void start_name(struct walk *w, const char *name)
{
	w->path.size = 0;
	buf_adds(&w->path, name);
}

/* The directory that an item lies in; its name is the rest of the path. */
static int open_parent(const struct walk_root *root, const char *path, const int *bases,
		       const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	_cleanup_free_ char *parent = slash ? xasprintf("%s%s%.*s", root->path,
							*root->path ? "/" : "", (int)(slash - path),
							path)
					    : xstrdup(root->path);

	*ret_name = slash ? slash + 1 : path;
	return walk_open_beneath(bases[root->base], parent, O_RDONLY | O_DIRECTORY);
}

static int add_item(struct walk *w, struct archive *a, const struct walk_item *item,
		    const int *bases, struct error **err)
{
	const struct walk_root *root = &w->order->roots[item->root];
	_cleanup_close_ int dir = -EBADF;
	const char *name;
	struct stat st;
	int r;

	start_name(w, *item->name ? item->name : item->path);
	dir = open_parent(root, item->path, bases, &name);
	if (dir < 0 || fstat(dir, &st) < 0) {
		walk_leave_out(w, dir == -ENOENT ? "it is not there" : strerror(-dir));
		return 0;
	}
	a->device = st.st_dev;
	if (!*item->path) {
		r = *item->name ? add_header(w, TAR_DIR, &st, NULL, err) : 0;
		return r < 0 ? r : walk_entries(w, TAKE_FD(dir), 0, add_entry, a, err);
	}
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		walk_leave_out(w, errno == ENOENT ? "it is not there" : strerror(errno));
		return 0;
	}
	return add_entry(w, dir, name, &st, 0, a, err);
}

int walk_archive(struct walk *w, const int *bases, struct error **err)
{
	struct archive a = { 0 };

	for (size_t i = 0; i < w->order->n_items; i++) {
		int r = add_item(w, &a, &w->order->items[i], bases, err);

		if (r < 0)
			return r;
	}
	if (w->more)
		return error_set(err, E2BIG, "more than %u files", WALK_ENTRIES_MAX);
	tar_add_end(&w->buffer);
	return 0;
}
