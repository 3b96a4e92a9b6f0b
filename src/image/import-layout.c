#include "image/import-private.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/beneath.h"
#include "image/index-line.h"
#include "image/machine.h"
#include "image/oci.h"
#include "image/unpack.h"

#define BLOBS	  "blobs/sha256/"
#define SHOWN_MAX 100 /* bytes of a name in a message */

/* One layer, wherever its name came from. */
struct part {
	int file; /* owned */
	char *digest;
	bool packed;
};

struct parts {
	struct part *v; /* the lowest first */
	size_t n;
};

static void parts_release(struct parts *p)
{
	for (size_t i = 0; i < p->n; i++) {
		close_fd(p->v[i].file);
		free(p->v[i].digest);
	}
	free(p->v);
	*p = (struct parts){ 0 };
}

static void add_part(struct parts *p, int file, const char *digest, bool packed)
{
	p->v = xreallocarray(p->v, p->n + 1, sizeof *p->v);
	p->v[p->n++] = (struct part){ .file = file, .digest = xstrdup(digest), .packed = packed };
}

/* A regular file beneath the directory. docker save makes links between layers: `links` lets those
 * be followed that stay beneath. */
static int open_file(int dir, const char *name, bool links, int *ret_fd, uint64_t *ret_size,
		     struct error **err)
{
	_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);
	uint64_t resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_XDEV |
			   (links ? 0 : RESOLVE_NO_SYMLINKS);
	_cleanup_close_ int fd = fs_open_beneath(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY,
						 resolve, 0);
	struct stat st;

	if (fd < 0) {
		errno = -fd;
		return error_errno(err, "'%s'", shown);
	}
	if (fstat(fd, &st) < 0)
		return error_errno(err, "'%s'", shown);
	if (!S_ISREG(st.st_mode))
		return error_set(err, EINVAL, "'%s' is no regular file", shown);
	*ret_fd = TAKE_FD(fd);
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

static int read_file(int dir, const char *name, bool links, char **ret, size_t *ret_size,
		     struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	uint64_t size;
	int r = open_file(dir, name, links, &fd, &size, err);

	if (r < 0)
		return r;
	r = fs_read_fd(fd, OCI_TEXT_MAX, ret, ret_size, err);
	if (r < 0) {
		_cleanup_free_ char *shown = text_escape(name, SHOWN_MAX);

		return error_prefix(err, "'%s'", shown);
	}
	return 0;
}

static int wrong_digest(const char *digest, struct error **err)
{
	return error_set(err, EBADMSG, "'%.64s' is not what its digest says: it is damaged",
			 digest);
}

static int open_blob(int dir, const struct oci_blob *b, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *name = xasprintf(BLOBS "%s", b->digest);
	_cleanup_close_ int fd = -EBADF;
	uint64_t size;
	int r = open_file(dir, name, false, &fd, &size, err);

	if (r < 0)
		return r;
	if (size != b->size)
		return error_set(err, EBADMSG, "'%s' has %llu bytes where %llu are expected", name,
				 (unsigned long long)size, (unsigned long long)b->size);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

/* A document that is named by its digest. */
static int read_blob(int dir, const struct oci_blob *b, char **ret, size_t *ret_size,
		     struct error **err)
{
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *text = NULL, *digest = NULL;
	size_t size;
	int r = open_blob(dir, b, &fd, err);

	if (r == 0)
		r = fs_read_fd(fd, OCI_TEXT_MAX, &text, &size, err);
	if (r < 0)
		return r;
	digest = sha256_hex(text, size);
	if (strcmp(digest, b->digest) != 0)
		return wrong_digest(b->digest, err);
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

/* --- OCI -------------------------------------------------------------------------------------- */

static int check_layout(int dir, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = read_file(dir, OCI_LAYOUT_FILE, false, &text, &size, err);

	return r < 0 ? r : oci_read_layout(text, size, OCI_LAYOUT_FILE, err);
}

/* From index to index, until there is a manifest. */
static int find_manifest(int dir, const char *architecture, struct oci_manifest *ret,
			 struct error **err)
{
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r = read_file(dir, OCI_INDEX_FILE, false, &text, &size, err);

	for (unsigned depth = 0; r == 0; depth++) {
		_cleanup_(oci_blob_release) struct oci_blob blob = { 0 };
		const char *what = depth ? "an index" : OCI_INDEX_FILE;

		if (depth > OCI_NESTED_MAX)
			return error_set(err, EINVAL, "too many indexes in indexes");
		r = oci_read_index(text, size, what, architecture, &blob, err);
		free(TAKE_PTR(text));
		if (r == 0)
			r = read_blob(dir, &blob, &text, &size, err);
		if (r == 0 && blob.media == OCI_MANIFEST)
			return oci_read_manifest(text, size, "the manifest", ret, err);
	}
	return r;
}

static int check_config(struct importing *i, const struct oci_config *c, size_t n_layers,
			const struct machine *here, struct error **err)
{
	if (*c->architecture && strcmp(c->architecture, here->oci) != 0) {
		_cleanup_free_ char *shown = text_escape(c->architecture, SHOWN_MAX);

		return error_set(err, EINVAL, "the image is for %s, and this machine is %s", shown,
				 here->oci);
	}
	if (strv_length(c->layers) != n_layers)
		return error_set(err, EINVAL, "%zu layers, and digests of %zu", n_layers,
				 strv_length(c->layers));
	free(i->manifest->architecture);
	i->manifest->architecture = xstrdup(*c->architecture ? here->debian : "");
	return 0;
}

static int find_oci(struct importing *i, int dir, const struct machine *here, struct parts *parts,
		    struct error **err)
{
	_cleanup_(oci_manifest_release) struct oci_manifest m = { 0 };
	_cleanup_(oci_config_release) struct oci_config c = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = check_layout(dir, err);
	if (r == 0)
		r = find_manifest(dir, here->oci, &m, err);
	if (r == 0)
		r = read_blob(dir, &m.config, &text, &size, err);
	if (r == 0)
		r = oci_read_config(text, size, "the configuration", &c, err);
	if (r == 0)
		r = check_config(i, &c, m.n_layers, here, err);
	for (size_t k = 0; r == 0 && k < m.n_layers; k++) {
		int fd;

		r = open_blob(dir, &m.layers[k], &fd, err);
		if (r == 0)
			add_part(parts, fd, m.layers[k].digest,
				 m.layers[k].media == OCI_LAYER_PACKED);
	}
	return r;
}

/* --- docker ----------------------------------------------------------------------------------- */

/* Names are paths in the archive. */
static int open_named(int dir, const char *raw, int *ret_fd, struct error **err)
{
	_cleanup_free_ char *name = NULL;
	uint64_t size;
	int r = beneath_name(raw, &name, err);

	return r < 0 ? r : open_file(dir, name, true, ret_fd, &size, err);
}

static int read_docker_config(int dir, const char *raw, struct oci_config *ret, struct error **err)
{
	_cleanup_free_ char *name = NULL, *text = NULL, *digest = NULL;
	const char *base;
	size_t size;
	int r = beneath_name(raw, &name, err);

	if (r == 0)
		r = read_file(dir, name, true, &text, &size, err);
	if (r < 0)
		return r;
	base = strrchr(name, '/');
	base = base ? base + 1 : name;
	digest = sha256_hex(text, size);
	/* DIGEST.json, or blobs/sha256/DIGEST; other names promise nothing */
	if (strspn(base, "0123456789abcdef") == SHA256_HEX &&
	    strncmp(base, digest, SHA256_HEX) != 0)
		return wrong_digest(base, err);
	return oci_read_config(text, size, "the configuration", ret, err);
}

static int find_docker(struct importing *i, int dir, const struct machine *here,
		       struct parts *parts, struct error **err)
{
	_cleanup_(docker_manifest_release) struct docker_manifest m = { 0 };
	_cleanup_(oci_config_release) struct oci_config c = { 0 };
	_cleanup_free_ char *text = NULL;
	size_t size;
	int r;

	r = read_file(dir, DOCKER_MANIFEST_FILE, false, &text, &size, err);
	if (r == 0)
		r = docker_read_manifest(text, size, DOCKER_MANIFEST_FILE, &m, err);
	if (r == 0)
		r = read_docker_config(dir, m.config, &c, err);
	if (r == 0)
		r = check_config(i, &c, strv_length(m.layers), here, err);
	for (size_t k = 0; r == 0 && m.layers && m.layers[k]; k++) {
		int fd;

		r = open_named(dir, m.layers[k], &fd, err);
		if (r == 0)
			add_part(parts, fd, c.layers[k], false);
	}
	return r;
}

/* --- layers ----------------------------------------------------------------------------------- */

/* Of layers that are the same only the topmost one counts, and overlayfs takes none twice. */
static bool comes_again(const struct parts *parts, size_t k)
{
	for (size_t j = k + 1; j < parts->n; j++)
		if (!strcmp(parts->v[j].digest, parts->v[k].digest))
			return true;
	return false;
}

/* As the topmost of the lower layers has it; where none has it, it is as it was made. */
static int settle_dir(const struct stage *s, const char *name, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r = beneath_open_dir(s->layers[s->n_layers - 1].root, name, &dir, err);

	for (size_t k = s->n_layers - 1; r == 0 && k-- > 0;) {
		_cleanup_(error_freep) struct error *error = NULL; /* then it has none */
		_cleanup_close_ int lower = -EBADF;
		struct stat st;

		if (beneath_open_dir(s->layers[k].root, name, &lower, &error) < 0)
			continue;
		if (fstat(lower, &st) < 0 || fchmod(dir, st.st_mode & 01777) < 0 ||
		    futimens(dir, (struct timespec[]){ st.st_mtim, st.st_mtim }) < 0)
			return error_errno(err, "cannot settle a directory");
		break;
	}
	return r;
}

static int settle_implied(const struct stage *s, const char *text, struct error **err)
{
	int r = 0;

	for (const char *p = text; r == 0 && *p; p += strcspn(p, "\n"), p += *p == '\n') {
		size_t n = strlen(UNPACK_IMPLIED);
		_cleanup_free_ char *line = NULL, *name = NULL;

		if (strncmp(p, UNPACK_IMPLIED, n) != 0)
			continue;
		line = xstrndup(p + n, strcspn(p, "\n") - n);
		name = index_unescape(line);
		r = name ? settle_dir(s, name, err)
			 : error_set(err, EPROTO, "vitrine-unpack says nonsense");
	}
	return r;
}

static int import_part(struct importing *i, const struct parts *parts, size_t k, struct error **err)
{
	const struct part *p = &parts->v[k];
	struct unpacker_options o = { .layer = true, .implied = true, .compressed = p->packed };
	_cleanup_free_ char *digest = NULL, *text = NULL;
	struct stat st;
	int r;

	if (fstat(p->file, &st) < 0)
		return error_errno(err, "cannot read a layer");
	r = stage_add_layer(&i->stage, NULL, &o.root, err);
	if (r < 0)
		return r;
	transfer_begin(&i->transfer, "unpacking layer", (unsigned)k + 1, (unsigned)parts->n,
		       (uint64_t)st.st_size);
	r = import_unpack(i, p->file, &o, &digest, &text, err);
	if (digest && strcmp(digest, p->digest) != 0) {
		*err = error_free(*err); /* came of that */
		r = wrong_digest(p->digest, err);
	}
	if (r == 0)
		r = settle_implied(&i->stage, text, err);
	return r < 0 ? error_prefix(err, "layer %zu", k + 1) : 0;
}

int import_layout(struct importing *i, int dir, struct error **err)
{
	_cleanup_(parts_release) struct parts parts = { 0 };
	const struct machine *here = machine_here();
	int r;

	if (!here)
		return error_set(err, ENOTSUP, "the architecture of this machine is not known");
	if (faccessat(dir, OCI_INDEX_FILE, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		r = find_oci(i, dir, here, &parts, err);
	else
		r = find_docker(i, dir, here, &parts, err);
	for (size_t k = 0; r == 0 && k < parts.n; k++)
		if (!comes_again(&parts, k))
			r = import_part(i, &parts, k, err);
	return r;
}
