#include "image/import-private.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/capabilities.h"
#include "base/fs.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/beneath.h"
#include "image/machine.h"
#include "image/oci.h"
#include "image/store.h"

#define SQFS2TAR       "/usr/bin/sqfs2tar"
#define SQUASHFS_MAGIC "hsqs"
#define INPUT_FD       "/proc/self/fd/3"
#define OS_RELEASE_DIR "usr/lib"
#define OS_RELEASE     "os-release"
#define OS_RELEASE_MAX (64U << 10)
#define SHOWN_MAX      200 /* bytes of a path in a message */
#define ARCHIVE_DIR    "archive"
#define METADATA_DIR   "metadata"
#define METADATA_MAX   (1U << 20)

const char *const import_format_names[IMPORT_FORMAT_MAX + 1] = {
	[IMPORT_TAR] = "tar", [IMPORT_DIRECTORY] = "directory",
	[IMPORT_OCI] = "oci", [IMPORT_DOCKER] = "docker",
	[IMPORT_LXC] = "lxc", [IMPORT_SQUASHFS] = "squashfs",
};

static const char *const descriptions[IMPORT_FORMAT_MAX] = {
	[IMPORT_TAR] = "a tar archive of a root file system",
	[IMPORT_DIRECTORY] = "a directory",
	[IMPORT_OCI] = "an OCI image layout",
	[IMPORT_DOCKER] = "an archive of docker save",
	[IMPORT_LXC] = "an image of an LXC image server",
	[IMPORT_SQUASHFS] = "a squashfs",
};

enum import_format import_format_from_string(const char *s)
{
	enum import_format f = 0;

	while (f < IMPORT_FORMAT_MAX && strcmp(import_format_names[f], s) != 0)
		f++;
	return f;
}

const char *import_format_describe(enum import_format f)
{
	return descriptions[f];
}

/* --- archives --------------------------------------------------------------------------------- */

int import_feed(struct importing *i, int from, struct unpacker *u, char **ret_digest,
		struct error **err)
{
	_cleanup_(sha256_freep) struct sha256 *sum = ret_digest ? sha256_new() : NULL;
	_cleanup_free_ char *data = xmalloc(TRANSFER_PIECE);
	int r = 0;

	while (r == 0 && (sum || !u->gone)) {
		ssize_t n = read(from, data, TRANSFER_PIECE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return error_errno(err, "cannot read the archive");
		if (n == 0)
			break;
		if (sum)
			sha256_add(sum, data, (size_t)n);
		r = unpacker_write(u, data, (size_t)n, err);
		if (r == 0)
			r = transfer_add(&i->transfer, (uint64_t)n, err);
	}
	if (r == 0 && sum)
		*ret_digest = sha256_end(sum);
	return r;
}

int import_unpack(struct importing *i, int from, const struct unpacker_options *o,
		  char **ret_digest, char **ret_text, struct error **err)
{
	_cleanup_(unpacker_release) struct unpacker u = UNPACKER_NONE;
	int r = unpacker_start(o, &u, err);

	if (r == 0)
		r = import_feed(i, from, &u, ret_digest, err);
	return r < 0 ? r : unpacker_end(&u, ret_text, err);
}

/* The same where nobody wants to know more. */
static int unpack_into(struct importing *i, int from, const struct unpacker_options *o,
		       struct error **err)
{
	_cleanup_free_ char *text = NULL;

	return import_unpack(i, from, o, NULL, &text, err);
}

static uint64_t size_of(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}

static int import_tar(struct importing *i, int file, struct error **err)
{
	struct unpacker_options o = { .compressed = true };
	int r = stage_add_layer(&i->stage, NULL, &o.root, err);

	if (r < 0)
		return r;
	transfer_begin(&i->transfer, "unpacking", 0, 0, size_of(file));
	return unpack_into(i, file, &o, err);
}

/* An archive becomes a directory of the stage. */
static int unpack_beside(struct importing *i, int file, const char *name, int *ret_dir,
			 struct error **err)
{
	struct unpacker_options o = { .compressed = true, .layer = true };
	int r = fs_make_dir(i->stage.dir, name, 0700, ret_dir, err);

	if (r < 0)
		return r;
	o.root = *ret_dir;
	transfer_begin(&i->transfer, "unpacking", 0, 0, size_of(file));
	return unpack_into(i, file, &o, err);
}

static int import_packed_layout(struct importing *i, int file, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r = unpack_beside(i, file, ARCHIVE_DIR, &dir, err);

	if (r == 0)
		r = import_layout(i, dir, err);
	if (r == 0) /* a disk that is nearly full needs the room */
		r = fs_remove_tree(i->stage.dir, ARCHIVE_DIR, err);
	return r;
}

static int import_squashfs(struct importing *i, int file, struct error **err)
{
	char *const argv[] = { (char *)SQFS2TAR, (char *)"--no-xattr", (char *)INPUT_FD, NULL };
	_cleanup_(child_end) struct child child = CHILD_NONE;
	_cleanup_close_ int from = -EBADF, to = -EBADF;
	struct unpacker_options o = { 0 };
	int ends[2], status, r;

	if (getuid() == 0) /* the program is as large as what it reads is hostile */
		return error_set(err, EPERM,
				 "root reads no squashfs: an ordinary user imports it, and saves "
				 "it as another format");
	if (access(SQFS2TAR, X_OK) < 0)
		return error_set(err, ENOENT,
				 SQFS2TAR " is missing: 'apt install squashfs-tools-ng' as root "
					  "brings it");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_errno(err, "cannot make a pipe");
	from = ends[0];
	to = ends[1];
	r = spawn(&(struct spawn){ .argv = argv,
				   .fds = (int[]){ -1, to, -1, file },
				   .n_fds = 4,
				   .new_session = true },
		  &child, err);
	to = close_fd(to);
	if (r == 0)
		r = stage_add_layer(&i->stage, NULL, &o.root, err);
	if (r < 0)
		return r;
	transfer_begin(&i->transfer, "unpacking", 0, 0, 0);
	r = unpack_into(i, from, &o, err);
	from = close_fd(from);
	if (r < 0)
		return r;
	r = child_wait(&child, -1, &status, err);
	if (r >= 0 && status != 0)
		return error_set(err, EINVAL, "sqfs2tar cannot read all of it");
	return r < 0 ? r : 0;
}

/* --- an image server's pair ------------------------------------------------------------------- */

/* The value of "KEY: VALUE", however deep it stands; NULL for none. Enough for what is looked for.
 */
static char *yaml_value(const char *text, const char *key)
{
	size_t n = strlen(key);

	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		const char *p = line + strspn(line, " ");
		_cleanup_free_ char *value = NULL;
		size_t length;

		if (strncmp(p, key, n) != 0 || p[n] != ':')
			continue;
		p += n + 1;
		p += strspn(p, " \"'");
		length = strcspn(p, "\n\"'#");
		while (length && p[length - 1] == ' ')
			length--;
		value = xstrndup(p, length);
		if (name_is_valid(value))
			return TAKE_PTR(value);
	}
	return NULL;
}

/* metadata.yaml for Incus and LXD; for LXC there is nothing in it that is needed. */
static int read_metadata(struct importing *i, int dir, struct error **err)
{
	_cleanup_free_ char *text = NULL, *architecture = NULL;
	const struct machine *here = machine_here();
	int r = fs_read(dir, "metadata.yaml", METADATA_MAX, &text, NULL, err);

	if (r == -ENOENT) {
		*err = error_free(*err);
		if (faccessat(dir, "config", F_OK, AT_SYMLINK_NOFOLLOW) == 0 ||
		    faccessat(dir, "create-message", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return 0;
		return error_set(err, EINVAL, "it has neither 'metadata.yaml' nor 'config'");
	}
	if (r < 0)
		return r;
	architecture = yaml_value(text, "architecture");
	if (architecture && here && strcmp(architecture, here->debian) != 0 &&
	    strcmp(architecture, here->kernel) != 0)
		return error_set(err, EINVAL, "it is for %s, and this machine is %s", architecture,
				 here->debian);
	if (architecture && here) {
		free(i->manifest->architecture);
		i->manifest->architecture = xstrdup(here->debian);
	}
	free(i->manifest->suite);
	i->manifest->suite = yaml_value(text, "release");
	if (!i->manifest->suite)
		i->manifest->suite = xstrdup("");
	return 0;
}

static int import_metadata(struct importing *i, struct error **err)
{
	_cleanup_close_ int file = -EBADF, dir = -EBADF;
	int r = fs_open_file(AT_FDCWD, i->what->metadata, &file, err);

	if (r < 0)
		return r;
	r = unpack_beside(i, file, METADATA_DIR, &dir, err);
	if (r == 0)
		r = read_metadata(i, dir, err);
	return r < 0 ? error_prefix(err, "the metadata") : 0;
}

/* --- recognising ------------------------------------------------------------------------------ */

static int recognise_tar(struct importing *i, int file, enum import_format *ret, struct error **err)
{
	_cleanup_(unpacker_release) struct unpacker u = UNPACKER_NONE;
	_cleanup_free_ char *line = NULL;
	int r;

	r = unpacker_start(&(struct unpacker_options){ .compressed = true, .recognise = true }, &u,
			   err);
	if (r == 0)
		r = import_feed(i, file, &u, NULL, err);
	if (r == 0)
		r = unpacker_end(&u, &line, err);
	if (r < 0)
		return r;
	line[strcspn(line, "\n")] = '\0';
	*ret = import_format_from_string(line);
	if (*ret == IMPORT_FORMAT_MAX)
		*ret = IMPORT_TAR;
	return lseek(file, 0, SEEK_SET) < 0 ? error_errno(err, "cannot read it twice") : 0;
}

static bool has(int dir, const char *name)
{
	return faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static int recognise(struct importing *i, int fd, bool is_dir, enum import_format *ret,
		     struct error **err)
{
	char magic[sizeof SQUASHFS_MAGIC] = "";

	if (is_dir) {
		*ret = IMPORT_DIRECTORY;
		if (has(fd, OCI_LAYOUT_FILE) && has(fd, OCI_INDEX_FILE))
			*ret = IMPORT_OCI;
		else if (has(fd, DOCKER_MANIFEST_FILE))
			*ret = IMPORT_DOCKER;
		return 0;
	}
	if (pread(fd, magic, strlen(SQUASHFS_MAGIC), 0) < 0)
		return error_errno(err, "cannot read it");
	if (!strcmp(magic, SQUASHFS_MAGIC)) {
		*ret = IMPORT_SQUASHFS;
		return 0;
	}
	return recognise_tar(i, fd, ret, err);
}

/* --- the whole -------------------------------------------------------------------------------- */

static int import_as(struct importing *i, enum import_format format, int fd, bool is_dir,
		     struct error **err)
{
	if (is_dir != (format == IMPORT_DIRECTORY) && format != IMPORT_OCI &&
	    format != IMPORT_DOCKER)
		return error_set(err, EINVAL, "it is %s, not %s", is_dir ? "a directory" : "a file",
				 import_format_describe(format));
	switch (format) {
	case IMPORT_DIRECTORY:
		return import_directory(i, fd, err);
	case IMPORT_OCI:
	case IMPORT_DOCKER:
		return is_dir ? import_layout(i, fd, err) : import_packed_layout(i, fd, err);
	case IMPORT_SQUASHFS:
		return import_squashfs(i, fd, err);
	default:
		return import_tar(i, fd, err);
	}
}

/* The name of the release, as the topmost layer with such a file has it; "" where there is none. */
static char *find_suite(const struct stage *s)
{
	for (size_t i = s->n_layers; i-- > 0;) {
		_cleanup_(error_freep) struct error *error = NULL; /* then there is none */
		_cleanup_free_ char *text = NULL;
		_cleanup_close_ int dir = -EBADF;
		static const char key[] = "VERSION_CODENAME=";

		if (beneath_open_dir(s->layers[i].root, OS_RELEASE_DIR, &dir, &error) < 0 ||
		    fs_read(dir, OS_RELEASE, OS_RELEASE_MAX, &text, NULL, &error) < 0)
			continue;
		for (const char *p = text; p; p = strchr(p, '\n')) {
			p += *p == '\n';
			if (!strncmp(p, key, strlen(key))) {
				_cleanup_free_ char *value = xstrndup(
					p + strlen(key), strcspn(p + strlen(key), "\n"));

				if (name_is_valid(value))
					return TAKE_PTR(value);
			}
		}
	}
	return xstrdup("");
}

static int run(struct importing *i, struct error **err)
{
	const struct import *what = i->what;
	enum import_format format = what->format, inner = format;
	_cleanup_close_ int fd = open(what->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return error_errno(err, "cannot open it");
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return error_set(err, EINVAL, "it is neither a file nor a directory");
	/* From here on what others wrote is read; root's number alone is enough for root's store.
	 */
	r = getuid() == 0 ? capabilities_drop(err) : 0;
	if (r < 0)
		return r;
	if (format == IMPORT_FORMAT_MAX || format == IMPORT_LXC) {
		r = recognise(i, fd, S_ISDIR(st.st_mode), &inner, err);
		if (r < 0)
			return r;
	}
	if (format == IMPORT_FORMAT_MAX)
		format = what->metadata ? IMPORT_LXC : inner;
	if ((format == IMPORT_LXC) != (what->metadata != NULL))
		return error_set(err, EINVAL,
				 "an image of an image server is two files: the other "
				 "one is named by --metadata");
	if (what->recognised)
		what->recognised(what->user, format);
	if (format == IMPORT_LXC) {
		r = import_metadata(i, err);
		if (r < 0)
			return r;
		format = inner == IMPORT_SQUASHFS ? inner : IMPORT_TAR;
	}
	r = import_as(i, format, fd, S_ISDIR(st.st_mode), err);
	if (r < 0)
		return r;
	if (what->suite || !*i->manifest->suite) {
		free(i->manifest->suite);
		i->manifest->suite = what->suite ? xstrdup(what->suite) : find_suite(&i->stage);
	}
	transfer_begin(&i->transfer, "adding to the store", 0, 0, 0);
	return stage_commit(&i->stage, i->manifest, err);
}

static void importing_release(struct importing *i)
{
	stage_release(&i->stage);
	manifest_free(i->manifest);
}

int image_import(const struct import *what, struct import_result *ret, struct error **err)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_free_ char *shown = text_escape(what->path, SHOWN_MAX);
	_cleanup_free_ char *source = xasprintf("imported from %s", shown);
	_cleanup_(importing_release) struct importing i = {
		.what = what,
		.transfer = { .show = what->progress, .user = what->user },
		.stage = STAGE_NONE,
		.manifest = manifest_new(what->name, what->source ? what->source : source),
	};
	struct interrupts interrupts;
	int r;

	r = image_check_name(what->name, err);
	if (r == 0)
		r = store_open(what->home ? STORE_USER : STORE_SYSTEM, what->home, true, &store,
			       err);
	if (r == 0)
		r = stage_begin(&store, what->name, &i.stage, err);
	if (r < 0)
		return r;
	interrupts_begin(&interrupts);
	r = run(&i, err);
	if (r < 0)
		r = error_prefix(err, "cannot import '%s'", shown);
	interrupts_end(&interrupts);
	if (r < 0)
		return r;
	*ret = (struct import_result){
		.layers = (unsigned)i.manifest->n_layers,
		.bytes = manifest_bytes(i.manifest),
		.files = manifest_files(i.manifest),
	};
	return 0;
}
