/*
 * A given directory and all that is in it. Every request walks from the descriptor of the grant
 * (path.h); the last name is only ever used by calls that do not follow links. The kernel outside
 * decides what the user may do.
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gate/budget.h"
#include "gate/mask.h"
#include "gate/server.h"
#include "gate/tree.h"

#define LIST_BUFFER 32768U
#define PERMISSIONS 0777U

static void forget_name(struct server *s, struct node *dir, const char *name)
{
	struct node *n = node_peek(s, dir, name);

	if (!n)
		return;
	node_unlink(s, n);
	node_release(s, n);
}

/* The node of what has the name now; another one than before if that is another file. */
static struct node *found(struct server *s, struct node *dir, const char *name,
			  const struct stat *st)
{
	struct node *n = node_peek(s, dir, name);

	if (n && !tree_is_same(n, st))
		forget_name(s, dir, name);
	n = node_get(s, dir, name, &kind_tree, dir->grant);
	n->dev = st->st_dev;
	n->ino = st->st_ino;
	s->seen.of = n;
	s->seen.st = *st;
	return n;
}

static int lookup(struct server *s, struct node *dir, const char *name, struct node **ret)
{
	struct spot p;
	struct stat st;
	int r;

	r = spot_find(s, dir, name, SPOT_LOOK, &p);
	if (r == 0)
		r = spot_stat(&p, &st);
	if (r == -ENOENT)
		forget_name(s, dir, name);
	if (r < 0)
		return r;
	*ret = found(s, dir, name, &st);
	return 0;
}

/* False: it is not shown. File systems that do not say what an entry is are asked for it. */
static bool entry_mode(int fd, const struct dirent64 *e, mode_t *ret)
{
	struct stat st;

	*ret = DTTOIF(e->d_type);
	if (e->d_type == DT_UNKNOWN) {
		if (fstatat(fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return false;
		*ret = st.st_mode & S_IFMT;
	}
	return tree_shows(*ret);
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int list_entries(const struct grant *g, const char *path, int fd, directory_fn *fn,
			void *user)
{
	_Alignas(struct dirent64) char buffer[LIST_BUFFER];
	struct stat st = { 0 };
	ssize_t size;

	if (fstat(fd, &st) < 0)
		return -errno;
	while ((size = getdents64(fd, buffer, sizeof buffer)) > 0)
		for (ssize_t at = 0; at < size;) {
			const struct dirent64 *e = (const struct dirent64 *)(buffer + at);

			at += e->d_reclen;
			if (is_dots(e->d_name) || !entry_mode(fd, e, &st.st_mode) ||
			    (g->masks && mask_of(g->masks, path, e->d_name) == MASK_HIDDEN))
				continue;
			st.st_ino = e->d_ino;
			if (!fn(user, e->d_name, &st))
				return 0;
		}
	return size < 0 ? -errno : 0;
}

static int list(struct server *s, struct node *dir, directory_fn *fn, void *user)
{
	struct path path;
	struct spot p;
	struct stat st;
	_cleanup_close_ int fd = -EBADF;
	int r;

	r = path_of(dir, &path);
	if (r == 0)
		r = spot_of(s, dir, SPOT_LOOK, &p);
	if (r < 0)
		return r;
	/* By its name: it may be one that can be listed but not searched. */
	fd = openat(p.dir, p.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ELOOP || errno == ENOTDIR ? -ENOENT : -errno;
	if (fstat(fd, &st) < 0 || !tree_is_same(dir, &st))
		return -ENOENT;
	return list_entries(dir->grant, path.at, fd, fn, user);
}

/* Opens it or makes it; *made tells which. */
static int open_or_make(const struct spot *p, mode_t mode, int flags, bool *made, int *ret)
{
	int how = (flags & (O_ACCMODE | O_SYNC | O_DSYNC)) | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY |
		  O_CLOEXEC;

	*made = true;
	*ret = openat(p->dir, p->name, how | O_CREAT | O_EXCL, mode & PERMISSIONS);
	if (*ret < 0 && errno == EEXIST && !(flags & O_EXCL)) {
		*made = false;
		*ret = openat(p->dir, p->name, how);
	}
	/* A link, or a FIFO that nobody reads, has come to the name. */
	if (*ret < 0)
		return errno == ELOOP || errno == ENXIO ? -EACCES : -errno;
	return 0;
}

static int truncate_existing(struct grant *g, int fd, const struct stat *st)
{
	if (ftruncate(fd, 0) < 0)
		return -errno;
	budget_give_back(g, (uint64_t)st->st_size);
	return 0;
}

static int create(struct server *s, struct node *dir, const char *name, mode_t mode, int flags,
		  struct node **ret, struct handle *ret_handle)
{
	struct spot p;
	_cleanup_close_ int fd = -EBADF;
	struct stat st;
	bool made;
	int r;

	r = spot_find(s, dir, name, SPOT_MAKE, &p);
	if (r < 0)
		return r;
	r = budget_take(dir->grant, BUDGET_ENTRY);
	if (r < 0)
		return r;
	r = open_or_make(&p, mode, flags, &made, &fd);
	if (r < 0 || !made)
		budget_give_back(dir->grant, BUDGET_ENTRY);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	r = !made && flags & O_TRUNC ? truncate_existing(dir->grant, fd, &st) : 0;
	if (r < 0)
		return r;
	*ret = found(s, dir, name, &st);
	s->seen.of = NULL; /* it may have been made smaller */
	ret_handle->fd = TAKE_FD(fd);
	return 0;
}

/* Where a new entry goes, and room for it. */
static int begin_entry(struct server *s, struct node *dir, const char *name, enum spot_use use,
		       struct spot *ret)
{
	int r = spot_find(s, dir, name, use, ret);

	return r < 0 ? r : budget_take(dir->grant, BUDGET_ENTRY);
}

/* `made`: what the system call returned that was to make it. */
static int end_entry(struct server *s, struct node *dir, const struct spot *p, int made,
		     struct node **ret)
{
	struct stat st;
	int r = made < 0 ? -errno : 0;

	if (r < 0) {
		budget_give_back(dir->grant, BUDGET_ENTRY);
		return r;
	}
	r = spot_stat(p, &st);
	if (r == 0)
		*ret = found(s, dir, p->name, &st);
	return r;
}

static int make_dir(struct server *s, struct node *dir, const char *name, mode_t mode,
		    struct node **ret)
{
	struct spot p;
	int r = begin_entry(s, dir, name, SPOT_MAKE, &p);

	return r < 0 ? r : end_entry(s, dir, &p, mkdirat(p.dir, name, mode & PERMISSIONS), ret);
}

/* Not above a mask: through the link, what is masked could be had at another name. */
static int make_symlink(struct server *s, struct node *dir, const char *name, const char *target,
			struct node **ret)
{
	struct spot p;
	int r = begin_entry(s, dir, name, SPOT_MOVE, &p);

	return r < 0 ? r : end_entry(s, dir, &p, symlinkat(target, p.dir, name), ret);
}

/* What its going gives back: of a file only with its last name, and once it is closed, which
 * gate/server.c sees. */
static uint64_t refund(struct server *s, struct node *dir, const char *name, const struct stat *st)
{
	const struct node *n = node_peek(s, dir, name);

	if (!S_ISREG(st->st_mode) || st->st_nlink > 1)
		return BUDGET_ENTRY;
	return BUDGET_ENTRY + (n && n->handles ? 0 : (uint64_t)st->st_size);
}

static int unlink_name(struct server *s, struct node *dir, const char *name)
{
	struct spot p;
	struct stat st;
	int r;

	r = spot_find(s, dir, name, SPOT_CHANGE, &p);
	if (r == 0)
		r = spot_stat(&p, &st);
	if (r < 0)
		return r;
	if (unlinkat(p.dir, name, 0) < 0)
		return -errno;
	budget_give_back(dir->grant, refund(s, dir, name, &st));
	forget_name(s, dir, name);
	return 0;
}

/* What is still open inside, or a working directory there, can be asked for as it was. */
static void keep_last(struct node *n, const struct stat *st)
{
	struct stat *last = xmalloc(sizeof *last);

	*last = *st;
	last->st_nlink = 0;
	free(n->data);
	n->data = last;
}

static int remove_dir(struct server *s, struct node *dir, const char *name)
{
	struct node *n = node_peek(s, dir, name);
	struct spot p;
	struct stat st;
	int r;

	r = spot_find(s, dir, name, SPOT_MOVE, &p);
	if (r == 0)
		r = spot_stat(&p, &st);
	if (r < 0)
		return r;
	if (unlinkat(p.dir, name, AT_REMOVEDIR) < 0)
		return -errno;
	budget_give_back(dir->grant, BUDGET_ENTRY);
	if (n && tree_is_same(n, &st))
		keep_last(n, &st);
	forget_name(s, dir, name);
	return 0;
}

static void exchange_names(struct server *s, struct node *dir, const char *name,
			   struct node *to_dir, const char *to_name)
{
	struct node *a = node_peek(s, dir, name), *b = node_peek(s, to_dir, to_name);

	if (a && b)
		node_swap(s, a, b);
	else if (a)
		node_rename(s, a, to_dir, to_name);
	else if (b)
		node_rename(s, b, dir, name);
}

static int rename_name(struct server *s, struct node *dir, const char *name, struct node *to_dir,
		       const char *to_name, unsigned flags)
{
	struct spot from, to;
	struct stat st, replaced;
	bool replaces;
	int r;

	if (dir->grant != to_dir->grant)
		return -EXDEV;
	r = spot_find(s, dir, name, SPOT_MOVE, &from);
	if (r == 0)
		r = spot_find(s, to_dir, to_name, SPOT_MOVE, &to);
	if (r == 0)
		r = spot_stat(&from, &st);
	if (r < 0)
		return r;
	/* What is not shown is not replaced either. */
	r = fstatat(to.dir, to_name, &replaced, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
	replaces = r == 0 && !(flags & RENAME_EXCHANGE);
	if (r < 0 ? r != -ENOENT : !tree_shows(replaced.st_mode))
		return r < 0 ? r : -EACCES;
	if (renameat2(from.dir, name, to.dir, to_name, flags) < 0)
		return -errno;
	if (flags & RENAME_EXCHANGE) {
		exchange_names(s, dir, name, to_dir, to_name);
		return 0;
	}
	/* Two names of one file: rename(2) does nothing then. */
	if (replaces && replaced.st_dev == st.st_dev && replaced.st_ino == st.st_ino)
		return 0;
	if (replaces)
		budget_give_back(dir->grant, refund(s, to_dir, to_name, &replaced));
	if (node_peek(s, dir, name))
		node_rename(s, node_peek(s, dir, name), to_dir, to_name);
	else
		forget_name(s, to_dir, to_name);
	return 0;
}

const struct kind kind_tree = {
	.lookup = lookup,
	.list = list,
	.create = create,
	.make_dir = make_dir,
	.symlink = make_symlink,
	.unlink = unlink_name,
	.remove_dir = remove_dir,
	.rename = rename_name,
	.stat = tree_stat,
	.change = tree_change,
	.access = tree_access,
	.readlink = tree_readlink,
	.open = tree_open,
	.grow = tree_grow,
	.forget = tree_forget,
};
