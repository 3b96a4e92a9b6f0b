#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/text.h"
#include "image/merge.h"
#include "image/save-private.h"
#include "image/whiteout.h"

#define SHOWN_MAX 200 /* bytes of a name in a message */

void sink_release(struct sink *s)
{
	buf_release(&s->held);
	sha256_free(s->sum);
}

int sink_flush(struct sink *s, struct error **err)
{
	int r;

	if (!s->held.size)
		return 0;
	if (s->sum)
		sha256_add(s->sum, s->held.data, s->held.size);
	r = fs_write_all(s->fd, s->held.data, s->held.size, err);
	s->held.size = 0;
	return r;
}

int sink_add(struct sink *s, const void *data, size_t size, struct error **err)
{
	buf_add(&s->held, data, size);
	return s->held.size < TRANSFER_PIECE ? 0 : sink_flush(s, err);
}

static int damaged(const struct saving *s, size_t layer, const char *path, const char *why,
		   struct error **err)
{
	const struct manifest *m = s->image.manifest;
	_cleanup_free_ char *shown = text_escape(path, SHOWN_MAX);

	return error_set(err, EBADMSG, "layer %.12s: '%s' %s",
			 m->layers[m->n_layers - 1 - layer].digest, shown, why);
}

/* As many bytes as the index says, and those that it says. */
static int add_content(struct saving *s, struct sink *to, const struct index_line *line,
		       size_t layer, struct error **err)
{
	_cleanup_(sha256_freep) struct sha256 *sum = sha256_new();
	_cleanup_free_ char *data = xmalloc(TRANSFER_PIECE), *digest = NULL;
	_cleanup_close_ int fd = fs_open_beneath(
		s->roots[layer], line->path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
		RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV, 0);
	static const char zeros[TAR_BLOCK];
	struct stat st;

	if (fd < 0)
		return damaged(s, layer, line->path, "cannot be opened", err);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != line->size)
		return damaged(s, layer, line->path, "is not as it was made", err);
	for (uint64_t left = line->size; left;) {
		ssize_t n = read(fd, data, left < TRANSFER_PIECE ? left : TRANSFER_PIECE);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return damaged(s, layer, line->path, "cannot be read", err);
		left -= (uint64_t)n;
		sha256_add(sum, data, (size_t)n);
		r = sink_add(to, data, (size_t)n, err);
		if (r == 0)
			r = transfer_add(&s->transfer, (uint64_t)n, err);
		if (r < 0)
			return r;
	}
	digest = sha256_end(sum);
	if (strcmp(digest, line->data) != 0)
		return damaged(s, layer, line->path, "is not as it was made", err);
	return sink_add(to, zeros, tar_padding(line->size), err);
}

static enum tar_type type_of(const struct index_line *l)
{
	switch (l->type) {
	case 'f':
		return TAR_FILE;
	case 'l':
		return TAR_LINK;
	case 'h':
		return TAR_HARD_LINK;
	default:
		return TAR_DIR;
	}
}

static int add_header(struct sink *to, const struct tar_member *m, struct error **err)
{
	_cleanup_buf_ struct buf header = { 0 };

	tar_add(&header, m);
	return sink_add(to, header.data, header.size, err);
}

int save_member(struct saving *s, struct sink *to, const struct index_line *line, size_t layer,
		struct error **err)
{
	enum tar_type type = type_of(line);
	int r = add_header(to,
			   &(struct tar_member){ .type = type,
						 .name = line->path,
						 .target = type == TAR_LINK || type == TAR_HARD_LINK
								   ? line->data
								   : NULL,
						 .mode = line->mode,
						 .modified = line->modified,
						 .size = line->size },
			   err);

	return r < 0 || type != TAR_FILE ? r : add_content(s, to, line, layer, err);
}

static int finish(struct sink *to, struct error **err)
{
	tar_end(&to->held);
	return sink_flush(to, err);
}

int save_merged(struct saving *s, int to, struct error **err)
{
	_cleanup_(merged_release) struct merged m = { 0 };
	_cleanup_(sink_release) struct sink sink = { .fd = to };
	uint64_t total = 0;
	int r;

	r = merge_layers(s->indexes, s->n_layers, &m, err);
	for (size_t i = 0; i < m.n; i++)
		total += m.v[i].line.size;
	transfer_begin(&s->transfer, "saving", 0, 0, total);
	for (size_t i = 0; r == 0 && i < m.n; i++)
		r = save_member(s, &sink, &m.v[i].line, m.v[i].layer, err);
	return r < 0 ? r : finish(&sink, err);
}

/* --- layers, as OCI has them -------------------------------------------------------------------
 */

/* An empty file that hides `name`, or what is in it. */
static int add_hiding(struct sink *to, const char *name, bool opaque, struct error **err)
{
	const char *slash = strrchr(name, '/');
	_cleanup_free_ char *whiteout = opaque ? xasprintf("%s/" WHITEOUT_OPAQUE, name)
					       : xasprintf("%.*s" WHITEOUT_PREFIX "%s",
							   slash ? (int)(slash - name) + 1 : 0,
							   name, slash ? slash + 1 : name);

	return add_header(to, &(struct tar_member){ .type = TAR_FILE, .name = whiteout }, err);
}

static int add_line(struct saving *s, struct sink *to, const struct index_line *line, size_t layer,
		    struct error **err)
{
	int r;

	if (whiteout_is_reserved(line->path)) {
		_cleanup_free_ char *shown = text_escape(line->path, SHOWN_MAX);

		return error_set(err, ENOTSUP, "an OCI image can have no file '%s'", shown);
	}
	if (line->type == 'w')
		return add_hiding(to, line->path, false, err);
	r = save_member(s, to, line, layer, err);
	if (r == 0 && line->type == 'o')
		r = add_hiding(to, line->path, true, err);
	return r;
}

int save_layer(struct saving *s, size_t layer, int to, char **ret_digest, struct error **err)
{
	_cleanup_(sink_release) struct sink sink = { .fd = to, .sum = sha256_new() };
	const char *text = s->indexes[layer];
	int r;

	for (;;) {
		_cleanup_(index_line_release) struct index_line line = { 0 };

		r = index_line_read(&text, &line, err);
		if (r <= 0)
			break;
		r = add_line(s, &sink, &line, layer, err);
		if (r < 0)
			break;
	}
	if (r == 0)
		r = finish(&sink, err);
	if (r == 0)
		*ret_digest = sha256_end(sink.sum);
	return r;
}
