#include "image/index.h"

#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include "base/buf.h"
#include "base/fs.h"
#include "base/parse.h"
#include "base/sha256.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/beneath.h"
#include "image/index-line.h"
#include "image/names.h"

#define OPAQUE	       "user.overlay.opaque" /* overlayfs with userxattr: kernel, overlayfs.rst */
#define ATTRIBUTES_MAX 4096U
#define SHOWN_MAX      200 /* bytes of a name in a message */

/* A file with several names, by its number in the file system. */
struct linked {
	ino_t inode;
	char *path; /* the first */
};

struct walk {
	struct buf text;
	struct buf path; /* of the directory that is being read, with a slash at its end */
	void *linked;	 /* a tree of struct linked (tsearch(3)) */
	dev_t device;
	unsigned depth;
	struct index_sums sums;
};

static int by_inode(const void *a, const void *b)
{
	ino_t x = ((const struct linked *)a)->inode, y = ((const struct linked *)b)->inode;

	return (x > y) - (x < y);
}

static void linked_free(void *p)
{
	free(((struct linked *)p)->path);
	free(p);
}

static void walk_release(struct walk *w)
{
	buf_release(&w->text);
	buf_release(&w->path);
	tdestroy(w->linked, linked_free);
}

static int refuse(const struct walk *w, const char *name, const char *why, struct error **err)
{
	_cleanup_free_ char *path = xasprintf("%s%s", w->path.data ? w->path.data : "", name);
	_cleanup_free_ char *shown = text_escape(path, SHOWN_MAX);

	return error_set(err, EINVAL, "'%s': %s", shown, why);
}

static int fail(const struct walk *w, const char *name, struct error **err)
{
	int code = errno;
	_cleanup_free_ char *path = xasprintf("%s%s", w->path.data ? w->path.data : "", name);
	_cleanup_free_ char *shown = text_escape(path, SHOWN_MAX);

	errno = code;
	return error_errno(err, "cannot read '%s'", shown);
}

static int add_line(struct walk *w, char type, const struct stat *st, const char *data,
		    const char *name, struct error **err)
{
	if (w->text.size > INDEX_MAX)
		return error_set(err, E2BIG, "too many files");
	buf_addf(&w->text, "%c %o %lld %lld ", type, st->st_mode & 07777,
		 (long long)st->st_mtim.tv_sec, type == 'f' ? (long long)st->st_size : 0LL);
	if (data)
		index_escape(&w->text, data);
	else
		buf_adds(&w->text, "-");
	buf_adds(&w->text, " ");
	if (w->path.data)
		index_escape(&w->text, w->path.data);
	index_escape(&w->text, name);
	buf_adds(&w->text, "\n");
	w->sums.files++;
	return 0;
}

/* Only "opaque" may be there: the other attributes of overlayfs lead to other files. */
static int check_attributes(const struct walk *w, int fd, const char *name, bool *ret_opaque,
			    struct error **err)
{
	char names[ATTRIBUTES_MAX], value[2];
	ssize_t n = flistxattr(fd, names, sizeof names);

	*ret_opaque = false;
	if (n < 0)
		return errno == ENOTSUP ? 0 : fail(w, name, err);
	for (const char *p = names; p < names + n; p += strlen(p) + 1) {
		if (strncmp(p, "user.", 5) != 0)
			continue;
		if (strcmp(p, OPAQUE) || fgetxattr(fd, p, value, sizeof value) != 1 ||
		    *value != 'y')
			return refuse(w, name, "an extended attribute that no layer may have", err);
		*ret_opaque = true;
	}
	return 0;
}

/* *ret is the first name of a file that has several, or NULL where this is it. */
static const char *first_name(struct walk *w, const struct stat *st, const char *name)
{
	struct linked *new = xmalloc(sizeof *new), **found;

	*new = (struct linked){
		.inode = st->st_ino,
		.path = xasprintf("%s%s", w->path.data ? w->path.data : "", name),
	};
	found = tsearch(new, &w->linked, by_inode);
	if (!found)
		abort();
	if (*found == new)
		return NULL;
	linked_free(new);
	return (*found)->path;
}

static int add_file(struct walk *w, int dir, const char *name, const struct stat *st,
		    struct error **err)
{
	const char *first = st->st_nlink > 1 ? first_name(w, st, name) : NULL;
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *digest = NULL;
	uint64_t size;
	bool opaque;
	int r;

	if (first)
		return add_line(w, 'h', st, first, name, err);
	r = fs_open_file(dir, name, &fd, err);
	if (r < 0)
		return error_prefix(err, "'%s'", w->path.data ? w->path.data : "/");
	r = check_attributes(w, fd, name, &opaque, err);
	if (r < 0)
		return r;
	if (opaque)
		return refuse(w, name, "an extended attribute that no layer may have", err);
	r = sha256_fd(fd, &digest, &size, err);
	if (r < 0)
		return error_prefix(err, "'%s%s'", w->path.data ? w->path.data : "", name);
	if (size != (uint64_t)st->st_size)
		return refuse(w, name, "it changes while it is read", err);
	w->sums.bytes += size;
	return add_line(w, 'f', st, digest, name, err);
}

static int add_link(struct walk *w, int dir, const char *name, const struct stat *st,
		    struct error **err)
{
	char target[BENEATH_NAME_MAX + 2];
	const char *first = st->st_nlink > 1 ? first_name(w, st, name) : NULL;
	ssize_t n = readlinkat(dir, name, target, sizeof target - 1);

	if (n < 0)
		return fail(w, name, err);
	target[n] = '\0';
	return first ? add_line(w, 'h', st, first, name, err)
		     : add_line(w, 'l', st, target, name, err);
}

static int add_entries(struct walk *w, int dir, struct error **err);

static int add_dir(struct walk *w, int parent, const char *name, const struct stat *st,
		   struct error **err)
{
	_cleanup_close_ int fd = openat(parent, name,
					O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	size_t above = w->path.size;
	bool opaque;
	int r;

	if (fd < 0)
		return fail(w, name, err);
	if (st->st_dev != w->device)
		return refuse(w, name, "another file system", err);
	if (w->depth >= BENEATH_DEPTH_MAX)
		return refuse(w, name, "nested too deeply", err);
	r = check_attributes(w, fd, name, &opaque, err);
	if (r == 0)
		r = add_line(w, opaque ? 'o' : 'd', st, NULL, name, err);
	if (r < 0)
		return r;
	buf_addf(&w->path, "%s/", name);
	w->depth++;
	r = add_entries(w, fd, err);
	w->depth--;
	w->path.data[w->path.size = above] = '\0';
	return r;
}

static int add_entry(struct walk *w, int dir, const char *name, struct error **err)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(w, name, err);
	if (!S_ISLNK(st.st_mode) && st.st_mode & 06000)
		return refuse(w, name, "a set-id bit", err);
	switch (st.st_mode & S_IFMT) {
	case S_IFDIR:
		return add_dir(w, dir, name, &st, err);
	case S_IFREG:
		return add_file(w, dir, name, &st, err);
	case S_IFLNK:
		return add_link(w, dir, name, &st, err);
	case S_IFCHR:
		if (st.st_rdev == makedev(0, 0))
			return add_line(w, 'w', &(struct stat){ 0 }, NULL, name, err);
		break;
	default:
		break;
	}
	return refuse(w, name, "neither file, directory nor link", err);
}

static bool is_any(const char *name)
{
	return *name;
}

static int add_entries(struct walk *w, int dir, struct error **err)
{
	_cleanup_strv_ char **names = NULL;
	int r = names_in(dir, ".", is_any, &names, err);

	for (char **name = names; r == 0 && name && *name; name++)
		r = add_entry(w, dir, *name, err);
	return r;
}

int index_make(int root, char **ret, struct index_sums *ret_sums, struct error **err)
{
	_cleanup_(walk_release) struct walk w = { 0 };
	struct stat st;
	int r;

	if (fstat(root, &st) < 0)
		return error_errno(err, "cannot read the tree");
	w.device = st.st_dev;
	r = add_entries(&w, root, err);
	if (r < 0)
		return r;
	*ret = buf_take(&w.text);
	*ret_sums = w.sums;
	return 0;
}

/* The fourth word of each line. */
uint64_t index_bytes(const char *text)
{
	uint64_t sum = 0, size;

	for (const char *line = text; *line; line += strspn(line, "\n")) {
		const char *word = line;

		for (unsigned i = 0; i < 3; i++)
			word += strcspn(word, " \n") + (word[strcspn(word, " \n")] == ' ');
		_cleanup_free_ char *digits = xstrndup(word, strcspn(word, " \n"));

		if (*line == 'f' && parse_u64(digits, &size) == 0)
			sum += size;
		line += strcspn(line, "\n");
	}
	return sum;
}

/* --- comparing -----------------------------------------------------------------------------------
 */

/* The last word of a line: its path, as it is written there. */
static char *path_of(const char *line)
{
	const char *end = line + strcspn(line, "\n"), *start = end;

	while (start > line && start[-1] != ' ')
		start--;
	return xstrndup(start, (size_t)(end - start));
}

static bool has_path(const char *text, const char *path)
{
	_cleanup_free_ char *end = xasprintf(" %s\n", path);

	return strstr(text, end);
}

/* Both texts are the same up to the lines where these begin. */
static int tell_difference(const char *wanted, const char *found, struct error **err)
{
	_cleanup_free_ char *missing = path_of(wanted), *extra = path_of(found);

	if (*wanted && !has_path(found, missing))
		return error_set(err, EBADMSG, "'%.*s' is missing", SHOWN_MAX, missing);
	if (*found && !has_path(wanted, extra))
		return error_set(err, EBADMSG, "'%.*s' should not be there", SHOWN_MAX, extra);
	return error_set(err, EBADMSG, "'%.*s' is not as it was made", SHOWN_MAX,
			 *wanted ? missing : extra);
}

int index_check(int root, const char *text, struct error **err)
{
	_cleanup_free_ char *now = NULL;
	const char *wanted = text, *found;
	struct index_sums sums;
	int r;

	r = index_make(root, &now, &sums, err);
	if (r < 0)
		return r;
	for (found = now; *wanted && *found;) {
		size_t n = strcspn(wanted, "\n"), m = strcspn(found, "\n");

		if (n != m || memcmp(wanted, found, n) != 0)
			break;
		wanted += n + (wanted[n] == '\n');
		found += m + (found[m] == '\n');
	}
	return *wanted || *found ? tell_difference(wanted, found, err) : 0;
}
