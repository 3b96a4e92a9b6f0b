#include "image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>

#include "base/text.h"
#include "image/beneath.h"
#include "image/manifest.h"
#include "image/whiteout.h"

#define READ_SIZE      (256U << 10)
#define PROGRESS_BYTES (4U << 20)
#define SHOWN_MAX      200 /* bytes of a name in a message */

struct unpack {
	const struct unpack_options *options;
	struct archive *archive;
	int tar;
	uint64_t received;
	char *input;
	struct extract tree;
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
	extract_release(&u->tree);
}

static int refuse(struct error **err, int code, const char *name, const char *why)
{
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	return error_set(err, code, "refusing '%s': %s", shown, why);
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

/* A few bytes that become very many. */
static int check_bomb(struct unpack *u, struct error **err)
{
	uint64_t in = (uint64_t)archive_filter_bytes(u->archive, -1);
	uint64_t out = (uint64_t)archive_filter_bytes(u->archive, 0);

	if (!u->options->compressed || out <= UNPACK_FREE_BYTES + in * UNPACK_RATIO_MAX)
		return 0;
	return error_set(err, EFBIG, "refusing the archive: %llu bytes of it became %llu MB",
			 (unsigned long long)in, (unsigned long long)(out >> 20));
}

static int write_failed(struct error **err, const char *name)
{
	int code = errno;
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

	errno = code;
	return error_errno(err, "cannot extract '%s'", shown);
}

static int write_block(int fd, const char *data, size_t n, off_t at)
{
	while (n) {
		ssize_t done = pwrite(fd, data, n, at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -1;
		data += done;
		at += done;
		n -= (size_t)done;
	}
	return 0;
}

/* The content of an entry, into a file; for a negative `fd`, into nothing. */
static int copy_data(struct unpack *u, int fd, const char *name, int64_t size, struct error **err)
{
	if (size < 0 || (uint64_t)size > UNPACK_BYTES_MAX - u->bytes_declared)
		return refuse(err, EFBIG, name, "the archive holds too much data");
	u->bytes_declared += (uint64_t)size;
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
		r = check_bomb(u, err);
		if (r < 0)
			return r;
		if (fd < 0)
			continue;
		u->stats.bytes += n;
		r = write_block(fd, data, n, at);
		if (r < 0)
			return write_failed(err, name);
		if (u->stats.bytes - u->bytes_reported >= PROGRESS_BYTES)
			report(u);
	}
	if (fd >= 0 && ftruncate(fd, size) < 0) /* a hole at the end */
		return write_failed(err, name);
	return 0;
}

static int add_file(struct unpack *u, struct archive_entry *e, const char *name, struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = extract_file(&u->tree, name, &fd, err);
	if (r == 0)
		r = copy_data(u, fd, name, archive_entry_size(e), err);
	if (r < 0)
		return r;
	return extract_file_end(&u->tree, name, fd, archive_entry_perm(e), archive_entry_mtime(e),
				err);
}

static bool is_opaque(struct archive_entry *e)
{
	int n = archive_entry_xattr_reset(e);
	const char *name;
	const void *value;
	size_t size;

	while (n-- > 0 && archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK)
		if (name && !strcmp(name, OPAQUE_ATTRIBUTE) && size == strlen(OPAQUE_VALUE) &&
		    !memcmp(value, OPAQUE_VALUE, size))
			return true;
	return false;
}

static int add_dir(struct unpack *u, struct archive_entry *e, const char *name, struct error **err)
{
	bool opaque = u->options->layer && is_opaque(e);
	int r = opaque ? extract_opaque(&u->tree, name, err) : 0;

	if (r < 0 || !*name) /* the directory itself is made by the caller */
		return r;
	return extract_dir(&u->tree, name, archive_entry_perm(e), archive_entry_mtime(e), err);
}

static int add_hard_link(struct unpack *u, struct archive_entry *e, const char *name,
			 struct error **err)
{
	_cleanup_free_ char *target = NULL;
	int r;

	if (archive_entry_size(e) > 0)
		return refuse(err, EINVAL, name, "a hard link with data");
	r = beneath_name(archive_entry_hardlink(e), &target, err);
	if (r < 0)
		return r;
	return extract_hard_link(&u->tree, name, target, err);
}

static int add_whiteout(struct unpack *u, struct archive_entry *e, const char *name,
			enum whiteout kind, const char *gone, struct error **err)
{
	int r;

	if (archive_entry_filetype(e) != AE_IFREG || archive_entry_hardlink(e) ||
	    archive_entry_size(e) != 0)
		return refuse(err, EINVAL, name, "a whiteout is an empty file");
	if (kind == WHITEOUT_DIRECTORY)
		return extract_opaque(&u->tree, gone, err);
	r = extract_whiteout(&u->tree, gone, archive_entry_mtime(e), err);
	if (r != -ENOTDIR && r != -ELOOP)
		return r;
	/* Where a directory has become a file or a link, umoci says of all that was in it that it
	 * is gone. */
	*err = error_free(*err);
	u->stats.entries--;
	u->stats.dropped++;
	return 0;
}

static int drop(struct unpack *u, struct archive_entry *e, const char *name, struct error **err)
{
	u->stats.dropped++;
	return copy_data(u, -1, name, archive_entry_size(e), err);
}

static int add_device(struct unpack *u, struct archive_entry *e, const char *name,
		      struct error **err)
{
	if (u->options->layer && !archive_entry_rdevmajor(e) && !archive_entry_rdevminor(e))
		return extract_whiteout(&u->tree, name, archive_entry_mtime(e), err);
	u->stats.entries--;
	return drop(u, e, name, err);
}

static int add_by_type(struct unpack *u, struct archive_entry *e, const char *name,
		       struct error **err)
{
	enum whiteout kind = WHITEOUT_NONE;
	_cleanup_free_ char *gone = NULL;
	int r = u->options->layer ? whiteout_read(name, &kind, &gone, err) : 0;

	if (r < 0)
		return r;
	if (kind != WHITEOUT_NONE)
		return add_whiteout(u, e, name, kind, gone, err);
	if (archive_entry_hardlink(e))
		return add_hard_link(u, e, name, err);
	switch (archive_entry_filetype(e)) {
	case AE_IFDIR:
		return add_dir(u, e, name, err);
	case AE_IFREG:
		return add_file(u, e, name, err);
	case AE_IFLNK:
		return extract_link(&u->tree, name, archive_entry_symlink(e),
				    archive_entry_mtime(e), err);
	case AE_IFCHR:
		return add_device(u, e, name, err);
	default:
		u->stats.entries--;
		return drop(u, e, name, err);
	}
}

static int entry_name(struct archive_entry *e, char **ret, struct error **err)
{
	const char *raw = archive_entry_pathname(e);

	if (!raw)
		return error_set(err, EINVAL, "refusing an entry without a readable name");
	return beneath_name(raw, ret, err);
}

static int add_entry(struct unpack *u, struct archive_entry *e, struct error **err)
{
	static const char dev[] = "dev/";
	_cleanup_free_ char *name = NULL;
	int r;

	r = entry_name(e, &name, err);
	if (r < 0)
		return r;
	if (u->stats.entries + u->stats.dropped >= UNPACK_ENTRIES_MAX)
		return refuse(err, E2BIG, name, "too many entries");
	if (!*name) {
		if (archive_entry_filetype(e) != AE_IFDIR || archive_entry_hardlink(e))
			return refuse(err, EINVAL, ".", "it must be a directory");
		return add_dir(u, e, name, err);
	}
	if (!strncmp(name, dev, strlen(dev)))
		return drop(u, e, name, err);
	u->stats.entries++;
	return add_by_type(u, e, name, err);
}

/* The next entry, or NULL at the end. */
static int next_entry(struct unpack *u, struct archive_entry **ret, struct error **err)
{
	int r = archive_read_next_header(u->archive, ret);

	if (r == ARCHIVE_EOF) {
		*ret = NULL;
		return 0;
	}
	if (r != ARCHIVE_OK) /* a warning is something that would get lost */
		return archive_failed(u, err);
	return check_bomb(u, err);
}

static int add_entries(struct unpack *u, struct error **err)
{
	for (;;) {
		struct archive_entry *e;
		int r = next_entry(u, &e, err);

		if (r < 0 || !e)
			return r;
		r = add_entry(u, e, err);
		if (r < 0)
			return r;
		if (!((u->stats.entries + u->stats.dropped) % 256))
			report(u);
	}
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

typedef int support_fn(struct archive *a);

static support_fn *const filters[] = {
	archive_read_support_filter_gzip,
	archive_read_support_filter_bzip2,
	archive_read_support_filter_xz,
	archive_read_support_filter_zstd,
};

static int open_archive(struct unpack *u, struct error **err)
{
	u->archive = archive_read_new();
	u->input = xmalloc(READ_SIZE);
	if (!u->archive || archive_read_support_format_tar(u->archive) != ARCHIVE_OK)
		return archive_failed(u, err);
	for (size_t i = 0; u->options->compressed && i < ARRAY_SIZE(filters); i++)
		/* A warning: it would be done by another program, and none can be started. */
		if (filters[i](u->archive) != ARCHIVE_OK)
			return archive_failed(u, err);
	if (archive_read_open(u->archive, u, NULL, read_input, NULL) != ARCHIVE_OK)
		return archive_failed(u, err);
	return 0;
}

int unpack_tar(int tar, int dir, const struct unpack_options *o, unpack_progress_fn *progress,
	       void *user, struct unpack_stats *ret, struct error **err)
{
	_cleanup_(unpack_release) struct unpack u = {
		.options = o,
		.tar = tar,
		.tree = EXTRACT_NONE,
		.progress = progress,
		.user = user,
	};
	int r;

	r = extract_begin(&u.tree, dir, o->layer, o->newest, err);
	if (r == 0)
		r = open_archive(&u, err);
	if (r == 0)
		r = add_entries(&u, err);
	if (r < 0)
		return r;
	if (!u.stats.entries && !(o->layer && u.received))
		return error_set(err, ENODATA, "the archive is empty");
	r = extract_end(&u.tree, err);
	if (r < 0)
		return r;
	drain(&u);
	if (o->implied)
		extract_implied(&u.tree, o->implied, user);
	report(&u);
	*ret = u.stats;
	return 0;
}

/* --- what is in it ---------------------------------------------------------------------------- */

static const char *const kind_names[ARCHIVE_KIND_MAX] = {
	[ARCHIVE_TREE] = "tree",
	[ARCHIVE_OCI] = "oci",
	[ARCHIVE_DOCKER] = "docker",
};

const char *archive_kind_to_string(enum archive_kind k)
{
	return kind_names[k];
}

/* clang-format off */
static const struct {
	const char *name;
	enum archive_kind kind;
} first_names[] = {
	{ "blobs", ARCHIVE_OCI },
	{ "index.json", ARCHIVE_OCI },
	{ "oci-layout", ARCHIVE_OCI },
	{ "manifest.json", ARCHIVE_DOCKER },
	{ "repositories", ARCHIVE_DOCKER },
};
/* clang-format on */

static enum archive_kind kind_of(const char *name)
{
	size_t n = strcspn(name, "/");

	for (size_t i = 0; i < ARRAY_SIZE(first_names); i++)
		if (strlen(first_names[i].name) == n && !strncmp(name, first_names[i].name, n))
			return first_names[i].kind;
	/* DIGEST.json, DIGEST.tar, DIGEST/layer.tar */
	if (strspn(name, "0123456789abcdef") == DIGEST_HEX)
		return ARCHIVE_DOCKER;
	return ARCHIVE_TREE;
}

int unpack_recognise(int tar, bool compressed, enum archive_kind *ret, struct error **err)
{
	const struct unpack_options options = { .compressed = compressed };
	_cleanup_(unpack_release) struct unpack u = {
		.options = &options,
		.tar = tar,
		.tree = EXTRACT_NONE,
	};
	int r = open_archive(&u, err);

	while (r == 0) {
		_cleanup_free_ char *name = NULL;
		struct archive_entry *e;

		r = next_entry(&u, &e, err);
		if (r == 0 && !e)
			return error_set(err, ENODATA, "the archive is empty");
		if (r == 0)
			r = entry_name(e, &name, err);
		if (r == 0 && *name) {
			*ret = kind_of(name);
			return 0;
		}
	}
	return r;
}
