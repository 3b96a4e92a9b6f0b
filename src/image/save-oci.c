#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "image/machine.h"
#include "image/names.h"
#include "image/oci.h"
#include "image/save-private.h"

#define GZIP	 "/usr/bin/gzip"
#define BLOBS	 "blobs/sha256"
#define MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define CONFIG	 "application/vnd.oci.image.config.v1+json"
#define LAYER	 "application/vnd.oci.image.layer.v1.tar+gzip"

static int write_blob(int blobs, const char *text, char **ret_digest, struct error **err)
{
	_cleanup_free_ char *digest = sha256_hex(text, strlen(text));
	int r = fs_write(blobs, digest, text, strlen(text), 0644, err);

	if (r == 0)
		*ret_digest = TAKE_PTR(digest);
	return r;
}

static json_t *blob(const char *type, const char *digest, uint64_t size)
{
	_cleanup_free_ char *name = xasprintf("sha256:%s", digest);

	return json_pack("{ss ss sI}", "mediaType", type, "digest", name, "size", (json_int_t)size);
}

/* An archive goes through gzip into a new file. */
static int write_packed(struct saving *s, size_t layer, int file, char **ret_plain,
			struct error **err)
{
	/* Without a name and a time in it; more effort makes it hardly smaller, and far slower. */
	char *const argv[] = { (char *)GZIP, (char *)"-n", (char *)"-3", NULL };
	_cleanup_(child_end) struct child child = CHILD_NONE;
	_cleanup_close_ int from = -EBADF, to = -EBADF;
	int ends[2], status, r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	from = ends[0];
	to = ends[1];
	r = spawn(&(struct spawn){ .argv = argv,
				   .fds = (int[]){ from, file },
				   .n_fds = 2,
				   .new_session = true },
		  &child, err);
	from = close_fd(from);
	if (r == 0)
		r = save_layer(s, layer, to, ret_plain, err);
	to = close_fd(to);
	if (r < 0)
		return r;
	r = child_wait(&child, -1, &status, err);
	if (r >= 0 && status != 0)
		return error_set(err, EIO, "gzip failed: is the disk full?");
	return r < 0 ? r : 0;
}

/* Named by what is in it as soon as that is known. */
static int add_layer(struct saving *s, size_t layer, int blobs, json_t *layers, json_t *plain,
		     struct error **err)
{
	static const char name[] = "new";
	_cleanup_free_ char *digest = NULL, *plain_digest = NULL, *id = NULL;
	_cleanup_close_ int file = openat(blobs, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	uint64_t size;
	int r;

	if (file < 0)
		return error_errno(err, "cannot make a file");
	r = write_packed(s, layer, file, &plain_digest, err);
	if (r == 0 && lseek(file, 0, SEEK_SET) < 0)
		r = error_errno(err, "cannot read what was written");
	if (r == 0)
		r = sha256_fd(file, &digest, &size, err);
	if (r < 0)
		return r;
	if (renameat(blobs, name, blobs, digest) < 0)
		return error_errno(err, "cannot rename a file");
	id = xasprintf("sha256:%s", plain_digest);
	json_array_append_new(layers, blob(LAYER, digest, size));
	json_array_append_new(plain, json_string(id));
	return 0;
}

static int add_layers(struct saving *s, int blobs, json_t *layers, json_t *plain,
		      struct error **err)
{
	int r = 0;

	for (size_t i = s->n_layers; r == 0 && i-- > 0;) { /* the lowest first */
		const struct manifest *m = s->image.manifest;
		size_t from_below = s->n_layers - 1 - i;

		transfer_begin(&s->transfer, "saving layer", (unsigned)from_below + 1,
			       (unsigned)s->n_layers, m->layers[from_below].bytes);
		r = add_layer(s, i, blobs, layers, plain, err);
	}
	return r;
}

static int add_document(int blobs, json_t *document, const char *type, json_t **ret,
			struct error **err)
{
	_cleanup_free_ char *text = json_dumps(document, JSON_COMPACT | JSON_SORT_KEYS);
	_cleanup_free_ char *digest = NULL;
	int r;

	if (!text)
		return error_set(err, EINVAL, "cannot describe the image");
	r = write_blob(blobs, text, &digest, err);
	if (r == 0)
		*ret = blob(type, digest, strlen(text));
	return r;
}

/* References to `plain` and `layers` are taken over. */
static json_t *make_config(const struct manifest *m, json_t *plain)
{
	const struct machine *machine = machine_by_debian(m->architecture);
	json_auto_t *history = json_array();

	if (!machine)
		machine = machine_here();
	for (size_t i = 0; i < m->n_layers; i++) {
		_cleanup_free_ char *by = xasprintf("vitrine image %s, layer %.12s", m->name,
						    m->layers[i].digest);

		json_array_append_new(
			history, json_pack("{ss ss}", "created", m->created, "created_by", by));
	}
	return json_pack("{ss ss ss s{} s{ss so} sO}", "created", m->created, "architecture",
			 machine ? machine->oci : "unknown", "os", "linux", "config", "rootfs",
			 "type", "layers", "diff_ids", plain, "history", history);
}

static int write_index(int dir, const struct manifest *m, json_t *manifest, struct error **err)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	json_auto_t *index = NULL;
	_cleanup_free_ char *text = NULL;
	int r;

	json_object_set_new(manifest, "annotations",
			    json_pack("{ss}", "org.opencontainers.image.ref.name", m->name));
	index = json_pack("{si ss s[O]}", "schemaVersion", 2, "mediaType",
			  "application/vnd.oci.image.index.v1+json", "manifests", manifest);
	text = json_dumps(index, JSON_COMPACT | JSON_SORT_KEYS);
	if (!text)
		return error_set(err, EINVAL, "cannot describe the image");
	r = fs_write(dir, OCI_INDEX_FILE, text, strlen(text), 0644, err);
	if (r == 0)
		r = fs_write(dir, OCI_LAYOUT_FILE, layout, strlen(layout), 0644, err);
	return r;
}

int save_oci(struct saving *s, int dir, struct error **err)
{
	const struct manifest *m = s->image.manifest;
	json_auto_t *layers = json_array(), *config = NULL, *config_blob = NULL;
	json_auto_t *manifest = NULL, *manifest_blob = NULL;
	json_t *plain = json_array();
	_cleanup_close_ int outer = -EBADF, blobs = -EBADF;
	int r;

	r = fs_make_dir(dir, "blobs", 0755, &outer, err);
	if (r == 0)
		r = fs_make_dir(outer, "sha256", 0755, &blobs, err);
	if (r == 0)
		r = add_layers(s, blobs, layers, plain, err);
	config = make_config(m, plain);
	if (r == 0)
		r = add_document(blobs, config, CONFIG, &config_blob, err);
	if (r < 0)
		return r;
	manifest = json_pack("{si ss sO sO}", "schemaVersion", 2, "mediaType", MANIFEST, "config",
			     config_blob, "layers", layers);
	r = add_document(blobs, manifest, MANIFEST, &manifest_blob, err);
	return r < 0 ? r : write_index(dir, m, manifest_blob, err);
}

/* --- in an archive ---------------------------------------------------------------------------- */

static int add_file(struct saving *s, struct sink *to, int dir, const char *path,
		    struct error **err)
{
	_cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	_cleanup_free_ char *data = xmalloc(TRANSFER_PIECE);
	_cleanup_buf_ struct buf header = { 0 };
	static const char zeros[TAR_BLOCK];
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot read what was written");
	tar_add(&header, &(struct tar_member){ .type = TAR_FILE,
					       .name = path,
					       .mode = 0644,
					       .size = (uint64_t)st.st_size });
	r = sink_add(to, header.data, header.size, err);
	for (uint64_t left = (uint64_t)st.st_size; r == 0 && left;) {
		ssize_t n = read(fd, data, left < TRANSFER_PIECE ? left : TRANSFER_PIECE);

		if (n <= 0)
			return error_errno(err, "cannot read what was written");
		left -= (uint64_t)n;
		r = sink_add(to, data, (size_t)n, err);
		if (r == 0)
			r = transfer_add(&s->transfer, (uint64_t)n, err);
	}
	return r < 0 ? r : sink_add(to, zeros, tar_padding((uint64_t)st.st_size), err);
}

static void add_dir(struct sink *to, const char *path)
{
	tar_add(&to->held, &(struct tar_member){ .type = TAR_DIR, .name = path, .mode = 0755 });
}

static bool is_any(const char *name)
{
	return *name;
}

int save_oci_archive(struct saving *s, int work, int to, struct error **err)
{
	_cleanup_(sink_release) struct sink sink = { .fd = to };
	_cleanup_strv_ char **names = NULL;
	int r = save_oci(s, work, err);

	if (r == 0)
		r = names_in(work, BLOBS, is_any, &names, err);
	if (r < 0)
		return r;
	transfer_begin(&s->transfer, "writing", 0, 0, 0);
	r = add_file(s, &sink, work, OCI_LAYOUT_FILE, err);
	if (r == 0)
		r = add_file(s, &sink, work, OCI_INDEX_FILE, err);
	add_dir(&sink, "blobs"); /* skopeo would give what is missing to root */
	add_dir(&sink, BLOBS);
	for (char **name = names; r == 0 && name && *name; name++) {
		_cleanup_free_ char *path = xasprintf(BLOBS "/%s", *name);

		r = add_file(s, &sink, work, path, err);
	}
	if (r < 0)
		return r;
	tar_end(&sink.held);
	return sink_flush(&sink, err);
}
