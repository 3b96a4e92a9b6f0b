#include "image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "image/beneath.h"

#define READ_SIZE	(256U << 10)
#define PROGRESS_BYTES	(4U << 20)
#define LINK_TARGET_MAX 4095U
#define SHOWN_MAX	200 /* bytes of a name in a message */

/* The mount points of a box: an image in which one of them is a link would lead it astray. */
static const char *const mount_points[] = {
	"dev", "home", "proc", "root", "run", "sys", "tmp", "var", "var/tmp",
};

struct finished_dir {
	char *name;
	struct timespec modified;
};

struct unpack {
	struct archive *archive;
	int tar;
	uint64_t received;
	char *input;
	int root;
	int parent; /* the directory of the last entry: the next one is usually there too */
	char *parent_name;
	struct finished_dir *dirs; /* making entries changes the time of their directory */
	size_t n_dirs;
	size_t names_size;
	uint64_t bytes_declared;
	uint64_t bytes_reported;
	unpack_progress_fn *progress;
	void *user;
	struct unpack_stats stats;
};

static void unpack_release(struct unpack *u)
{
	archive_read_free(u->archive);
	free(u->input);
	close_fd(u->root);
	close_fd(u->parent);
	free(u->parent_name);
	for (size_t i = 0; i < u->n_dirs; i++)
		free(u->dirs[i].name);
	free(u->dirs);
}

static int refuse(struct error **err, int code, const char *name, const char *why)
{
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	return error_set(err, code, "refusing '%s': %s", shown, why);
}

static int extract_failed(struct error **err, const char *name)
{
	int code = errno;
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	if (code == EEXIST)
		return refuse(err, EINVAL, name, "it is there already");
	errno = code;
	return error_errno(err, "cannot extract '%s'", shown);
}

static int archive_failed(struct unpack *u, struct error **err)
{
	const char *why = archive_error_string(u->archive);
	_cleanup_free_ char *shown = text_escape(why ? why : "unreadable", SHOWN_MAX);
	bool truncated = !u->received || (why && strcasestr(why, "truncated"));

	return error_set(err, truncated ? ENODATA : EINVAL, "cannot read the archive: %s", shown);
}

static void report(struct unpack *u)
{
	u->bytes_reported = u->stats.bytes;
	if (u->progress)
		u->progress(u->user, &u->stats);
}

static struct timespec modified_of(struct archive_entry *e)
{
	return (struct timespec){ .tv_sec = archive_entry_mtime(e),
				  .tv_nsec = archive_entry_mtime_nsec(e) };
}

static int set_time(int dir, const char *base, struct timespec modified)
{
	const struct timespec times[] = { modified, modified };

	return utimensat(dir, base, times, AT_SYMLINK_NOFOLLOW);
}

/* Opens the directory that holds `name`; *ret_base is the rest of it. The descriptor is u's. */
static int open_parent(struct unpack *u, const char *name, int *ret_dir, const char **ret_base,
		       struct error **err)
{
	const char *slash = strrchr(name, '/');
	_cleanup_free_ char *parent = xstrndup(name, slash ? (size_t)(slash - name) : 0);

	*ret_base = slash ? slash + 1 : name;
	if (!u->parent_name || strcmp(parent, u->parent_name)) {
		int fd, r;

		r = beneath_make_dir(u->root, parent, &fd, err);
		if (r < 0)
			return r;
		close_fd(u->parent);
		u->parent = fd;
		free(u->parent_name);
		u->parent_name = TAKE_PTR(parent);
	}
	*ret_dir = u->parent;
	return 0;
}

static bool is_below(const char *name, const char *dir)
{
	size_t n = strlen(dir);

	return !strncmp(name, dir, n) && name[n] == '/';
}

static int add_dir(struct unpack *u, struct archive_entry *e, const char *name, struct error **err)
{
	/* The user owns everything, and has to be able to read and remove it. */
	mode_t mode = (archive_entry_perm(e) & 01777) | 0700;
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = beneath_make_dir(u->root, name, &fd, err);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0)
		return extract_failed(err, name);

	u->names_size += strlen(name) + sizeof *u->dirs;
	if (u->names_size > UNPACK_NAMES_MAX)
		return refuse(err, E2BIG, name, "too many directories");
	if (!(u->n_dirs & (u->n_dirs - 1)))
		u->dirs = xreallocarray(u->dirs, u->n_dirs ? 2 * u->n_dirs : 1, sizeof *u->dirs);
	u->dirs[u->n_dirs++] = (struct finished_dir){ .name = xstrdup(name),
						      .modified = modified_of(e) };
	return 0;
}

static int copy_data(struct unpack *u, int fd, const char *name, int64_t size, struct error **err)
{
	for (;;) {
		const void *data;
		size_t n;
		la_int64_t at;
		int r = archive_read_data_block(u->archive, &data, &n, &at);

		if (r == ARCHIVE_EOF)
			break;
		if (r != ARCHIVE_OK)
			return archive_failed(u, err);
		if (at < 0 || at > size || (int64_t)n > size - at)
			return refuse(err, EINVAL, name, "more data than its size");
		u->stats.bytes += n;
		while (n) {
			ssize_t done = pwrite(fd, data, n, at);

			if (done < 0 && errno == EINTR)
				continue;
			if (done < 0)
				return extract_failed(err, name);
			data = (const char *)data + done;
			at += done;
			n -= (size_t)done;
		}
		if (u->stats.bytes - u->bytes_reported >= PROGRESS_BYTES)
			report(u);
	}
	if (ftruncate(fd, size) < 0) /* a hole at the end */
		return extract_failed(err, name);
	return 0;
}

static int add_file(struct unpack *u, struct archive_entry *e, const char *name, struct error **err)
{
	mode_t mode = (archive_entry_perm(e) & 0777) | 0400;
	int64_t size = archive_entry_size(e);
	_cleanup_close_ int fd = -EBADF;
	const char *base;
	int dir, r;

	if (size < 0 || (uint64_t)size > UNPACK_BYTES_MAX - u->bytes_declared)
		return refuse(err, EFBIG, name, "the archive holds too much data");
	u->bytes_declared += (uint64_t)size;
	r = open_parent(u, name, &dir, &base, err);
	if (r < 0)
		return r;
	fd = openat(dir, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return extract_failed(err, name);
	r = copy_data(u, fd, name, size, err);
	if (r < 0)
		return r;
	if (fchmod(fd, mode) < 0 || set_time(dir, base, modified_of(e)) < 0)
		return extract_failed(err, name);
	return 0;
}

/* The target is data for whoever reads the image later; nothing here follows it. */
static int add_symlink(struct unpack *u, struct archive_entry *e, const char *name,
		       struct error **err)
{
	const char *target = archive_entry_symlink(e), *base;
	int dir, r;

	if (!target || !*target || strlen(target) > LINK_TARGET_MAX)
		return refuse(err, EINVAL, name, "a link with a bad target");
	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++)
		if (!strcmp(name, mount_points[i]))
			return refuse(err, EINVAL, name, "it must be a directory, not a link");
	r = open_parent(u, name, &dir, &base, err);
	if (r < 0)
		return r;
	if (symlinkat(target, dir, base) < 0 || set_time(dir, base, modified_of(e)) < 0)
		return extract_failed(err, name);
	return 0;
}

/* A second name for a file that was extracted before. */
static int add_hard_link(struct unpack *u, struct archive_entry *e, const char *name,
			 struct error **err)
{
	_cleanup_free_ char *target = NULL;
	_cleanup_free_ char *target_dir = NULL;
	_cleanup_close_ int from = -EBADF;
	const char *slash, *target_base, *base;
	struct stat st;
	int dir, r;

	if (archive_entry_size(e) > 0)
		return refuse(err, EINVAL, name, "a hard link with data");
	r = beneath_name(archive_entry_hardlink(e), &target, err);
	if (r < 0)
		return r;
	slash = strrchr(target, '/');
	target_dir = xstrndup(target, slash ? (size_t)(slash - target) : 0);
	target_base = slash ? slash + 1 : target;
	r = beneath_open_dir(u->root, target_dir, &from, err);
	if (r < 0)
		return r;
	if (fstatat(from, target_base, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)))
		return refuse(err, EINVAL, name, "a hard link to no file of the archive");
	r = open_parent(u, name, &dir, &base, err);
	if (r < 0)
		return r;
	if (linkat(from, target_base, dir, base, 0) < 0)
		return extract_failed(err, name);
	return 0;
}

static int add_entry(struct unpack *u, struct archive_entry *e, struct error **err)
{
	_cleanup_free_ char *name = NULL;
	const char *raw = archive_entry_pathname(e);
	int r;

	if (!raw)
		return error_set(err, EINVAL, "refusing an entry without a readable name");
	r = beneath_name(raw, &name, err);
	if (r < 0)
		return r;
	if (!*name)
		return 0; /* the directory itself is made by the caller */
	if (is_below(name, "dev")) {
		u->stats.dropped++;
		return 0;
	}
	if (u->stats.entries++ >= UNPACK_ENTRIES_MAX)
		return refuse(err, E2BIG, name, "too many entries");
	if (archive_entry_hardlink(e))
		return add_hard_link(u, e, name, err);
	switch (archive_entry_filetype(e)) {
	case AE_IFDIR:
		return add_dir(u, e, name, err);
	case AE_IFREG:
		return add_file(u, e, name, err);
	case AE_IFLNK:
		return add_symlink(u, e, name, err);
	default:
		u->stats.entries--;
		u->stats.dropped++;
		return 0;
	}
}

static int add_entries(struct unpack *u, struct error **err)
{
	for (;;) {
		struct archive_entry *e;
		int r = archive_read_next_header(u->archive, &e);

		if (r == ARCHIVE_EOF)
			return 0;
		if (r != ARCHIVE_OK) /* a warning is something that would get lost */
			return archive_failed(u, err);
		r = add_entry(u, e, err);
		if (r < 0)
			return r;
		if (!(u->stats.entries % 256))
			report(u);
	}
}

static int finish_dirs(struct unpack *u, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++) {
		_cleanup_close_ int fd = -EBADF;
		int r = beneath_make_dir(u->root, mount_points[i], &fd, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < u->n_dirs; i++) {
		const struct finished_dir *d = &u->dirs[i];

		/* Nothing was ever replaced, so the name is still the directory. */
		if (set_time(u->root, d->name, d->modified) < 0)
			return extract_failed(err, d->name);
	}
	return 0;
}

static la_ssize_t read_input(struct archive *a, void *user, const void **ret)
{
	struct unpack *u = user;
	ssize_t n;

	do
		n = read(u->tar, u->input, READ_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		archive_set_error(a, errno, "%s", strerror(errno));
	else
		u->received += (uint64_t)n;
	*ret = u->input;
	return n;
}

/* A tar is padded after its end; a sender whose last write fails would count as broken. */
static void drain(struct unpack *u)
{
	for (unsigned i = 0; i < 64 && read(u->tar, u->input, READ_SIZE) > 0; i++)
		;
}

int unpack_tar(int tar, int dir, unpack_progress_fn *progress, void *user, struct unpack_stats *ret,
	       struct error **err)
{
	_cleanup_(unpack_release) struct unpack u = {
		.archive = archive_read_new(),
		.tar = tar,
		.input = xmalloc(READ_SIZE),
		.root = fcntl(dir, F_DUPFD_CLOEXEC, 3),
		.parent = -EBADF,
		.progress = progress,
		.user = user,
	};
	int r;

	if (u.root < 0)
		return error_errno(err, "cannot use the directory");
	if (!u.archive || archive_read_support_format_tar(u.archive) != ARCHIVE_OK ||
	    archive_read_open(u.archive, &u, NULL, read_input, NULL) != ARCHIVE_OK)
		return archive_failed(&u, err);
	r = add_entries(&u, err);
	if (r < 0)
		return r;
	if (!u.stats.entries)
		return error_set(err, ENODATA, "the archive is empty");
	r = finish_dirs(&u, err);
	if (r < 0)
		return r;
	drain(&u);
	report(&u);
	*ret = u.stats;
	return 0;
}
