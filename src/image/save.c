#include "image/save.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/copy.h"
#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/index.h"
#include "image/save-private.h"

#define WORK_PLACE "/var/tmp" /* for what goes to standard output and cannot be made there */
#define SHOWN_MAX  200	      /* bytes of a path in a message */

const char *const save_format_names[SAVE_FORMAT_MAX + 1] = {
	[SAVE_TAR] = "tar",
	[SAVE_SQUASHFS] = "squashfs",
	[SAVE_EROFS] = "erofs",
	[SAVE_OCI] = "oci",
};

enum save_format save_format_from_string(const char *s)
{
	enum save_format f = 0;

	while (f < SAVE_FORMAT_MAX && strcmp(save_format_names[f], s) != 0)
		f++;
	return f;
}

/* --- the image -------------------------------------------------------------------------------- */

static void saving_release(struct saving *s)
{
	for (size_t i = 0; i < s->n_layers; i++) {
		free(s->indexes[i]);
		close_fd(s->roots[i]);
	}
	free(s->indexes);
	free(s->roots);
	image_release(&s->image);
}

/* The tree of a layer, and its index, which is what the layer's name says or nothing. */
static int load_layer(struct saving *s, const char *path, const char *digest, struct error **err)
{
	_cleanup_close_ int root = -EBADF, above = -EBADF;
	_cleanup_free_ char *text = NULL, *found = NULL;
	size_t size;
	int r;

	r = fs_open_dir(AT_FDCWD, path, &root, err);
	if (r == 0)
		r = fs_open_dir(root, "..", &above, err);
	if (r == 0)
		r = fs_read(above, "index", INDEX_MAX, &text, &size, err);
	if (r < 0)
		return error_prefix(err, "layer %.12s", digest);
	found = sha256_hex(text, size);
	if (strcmp(found, digest) != 0 || strlen(text) != size)
		return error_set(err, EBADMSG, "layer %.12s: its index is not as it was made",
				 digest);
	s->indexes[s->n_layers] = TAKE_PTR(text);
	s->roots[s->n_layers++] = TAKE_FD(root);
	return 0;
}

static int load(struct saving *s, struct error **err)
{
	const struct manifest *m;
	int r = image_open(s->what->home, s->what->name, &s->image, err);

	if (r < 0)
		return r;
	m = s->image.manifest;
	s->indexes = xcalloc(m->n_layers + 1, sizeof *s->indexes);
	s->roots = xcalloc(m->n_layers + 1, sizeof *s->roots);
	for (size_t i = 0; r == 0 && i < m->n_layers; i++)
		r = load_layer(s, s->image.roots[i], m->layers[m->n_layers - 1 - i].digest, err);
	return r;
}

/* --- the output ------------------------------------------------------------------------------- */

/* A file or directory in the making, beside the one that it becomes. */
struct output {
	int place; /* owned: the directory that it is in */
	char *name;
	char *temporary; /* a name in it; NULL: there is none any more */
	bool is_dir;
};

#define OUTPUT_NONE ((struct output){ .place = -EBADF })

static void output_release(struct output *o)
{
	struct error *error = NULL;

	/* Nobody looks for what is left of it. */
	if (o->temporary && fs_remove_tree(o->place, o->temporary, &error) < 0)
		error_free(error);
	close_fd(o->place);
	free(o->name);
	free(o->temporary);
}

static int output_begin(const char *path, struct output *o, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(path);
	char *slash;

	for (size_t n = strlen(copy); n > 1 && copy[n - 1] == '/'; n--) {
		copy[n - 1] = '\0';
		o->is_dir = true;
	}
	slash = strrchr(copy, '/');
	o->name = xstrdup(slash ? slash + 1 : copy);
	if (slash)
		slash[slash == copy] = '\0';
	if (!*o->name || !strcmp(o->name, ".") || !strcmp(o->name, ".."))
		return error_set(err, EINVAL, "it needs a name");
	o->place = open(slash ? copy : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (o->place < 0)
		return error_errno(err, "its directory");
	o->temporary = xasprintf(".%.100s.%d", o->name, getpid());
	return 0;
}

static int check_free(const struct output *o, bool force, struct error **err)
{
	if (faccessat(o->place, o->name, F_OK, AT_SYMLINK_NOFOLLOW) < 0 || (force && !o->is_dir))
		return 0;
	return error_set(err, EEXIST, "it is there already%s",
			 o->is_dir ? "" : ": --force replaces it");
}

static int output_end(struct output *o, bool force, struct error **err)
{
	unsigned flags = force && !o->is_dir ? 0 : RENAME_NOREPLACE;

	if (renameat2(o->place, o->temporary, o->place, o->name, flags) < 0)
		return error_errno(err, "cannot put it in its place");
	free(TAKE_PTR(o->temporary));
	return 0;
}

/* A directory for what is needed meanwhile. */
static int make_work(int place, const char *name, int *ret_dir, struct error **err)
{
	if (mkdirat(place, name, 0700) < 0)
		return error_errno(err, "cannot make a directory for the work");
	return fs_open_dir(place, name, ret_dir, err);
}

static int write_format(struct saving *s, int place, const char *name, int file, struct error **err)
{
	_cleanup_close_ int work = -EBADF;
	struct error *ignored = NULL;
	int r;

	if (s->what->format == SAVE_TAR)
		return save_merged(s, file, err);
	if (s->what->format == SAVE_SQUASHFS)
		return save_squashfs(s, file, err);
	r = make_work(place, name, &work, err);
	if (r < 0)
		return r;
	r = s->what->format == SAVE_EROFS ? save_erofs(s, work, file, err)
					  : save_oci_archive(s, work, file, err);
	if (fs_remove_tree(place, name, &ignored) < 0)
		error_free(ignored); /* the image itself is whole, or an error tells more */
	return r;
}

static int save_to_file(struct saving *s, struct output *o, struct error **err)
{
	_cleanup_free_ char *work = xasprintf("%s.work", o->temporary);
	_cleanup_close_ int file = openat(o->place, o->temporary,
					  O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int r;

	if (file < 0)
		return error_errno(err, "cannot make a file there");
	r = write_format(s, o->place, work, file, err);
	if (r == 0 && fsync(file) < 0)
		r = error_errno(err, "cannot write it to disk");
	return r;
}

static int save_to_directory(struct saving *s, struct output *o, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r = make_work(o->place, o->temporary, &dir, err);

	if (r == 0)
		r = save_oci(s, dir, err);
	if (r == 0 && fchmod(dir, 0755) < 0)
		r = error_errno(err, "cannot make a directory there");
	return r;
}

static int save_to_path(struct saving *s, struct error **err)
{
	_cleanup_(output_release) struct output o = OUTPUT_NONE;
	int r = output_begin(s->what->output, &o, err);

	if (r == 0 && o.is_dir && s->what->format != SAVE_OCI)
		r = error_set(err, EINVAL, "only an OCI image layout is a directory");
	if (r == 0)
		r = check_free(&o, s->what->force, err);
	if (r == 0)
		r = o.is_dir ? save_to_directory(s, &o, err) : save_to_file(s, &o, err);
	return r < 0 ? r : output_end(&o, s->what->force, err);
}

static int send(int file, struct error **err)
{
	_cleanup_free_ char *data = xmalloc(TRANSFER_PIECE);
	off_t at = 0;

	for (;;) {
		ssize_t n = pread(file, data, TRANSFER_PIECE, at);
		int r;

		if (n < 0)
			return error_errno(err, "cannot read what was written");
		if (n == 0)
			return 0;
		at += n;
		r = fs_write_all(STDOUT_FILENO, data, (size_t)n, err);
		if (r < 0)
			return r;
	}
}

/* What cannot be written from begin to end is made in a file without a name first. */
static int save_to_output(struct saving *s, struct error **err)
{
	_cleanup_free_ char *work = xasprintf("vitrine-save.%d", getpid());
	_cleanup_close_ int place = -EBADF, file = -EBADF;
	int r;

	if (s->what->format == SAVE_TAR)
		return save_merged(s, STDOUT_FILENO, err);
	r = fs_open_dir(AT_FDCWD, WORK_PLACE, &place, err);
	if (r < 0)
		return r;
	file = openat(place, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (file < 0)
		return error_errno(err, "cannot make a file in " WORK_PLACE);
	r = write_format(s, place, work, file, err);
	return r < 0 ? r : send(file, err);
}

int image_save(const struct save *what, struct error **err)
{
	_cleanup_(saving_release) struct saving s = {
		.what = what,
		.transfer = { .show = what->progress, .user = what->user },
		.image = IMAGE_NONE,
	};
	_cleanup_free_ char *shown = text_escape(what->output ? what->output : "standard output",
						 SHOWN_MAX);
	struct interrupts interrupts;
	int r;

	r = image_check_name(what->name, err);
	if (r == 0)
		r = load(&s, err);
	if (r < 0)
		return r;
	interrupts_begin(&interrupts);
	r = what->output ? save_to_path(&s, err) : save_to_output(&s, err);
	interrupts_end(&interrupts);
	return r < 0 ? error_prefix(err, "cannot save image '%s' to '%s'", what->name, shown) : 0;
}
