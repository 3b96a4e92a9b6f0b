/*
 * The directory of given files, and its numbered sub-directories. There is no such directory
 * outside: names are those of grants, and of private files.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "gate/slot.h"

#define DIR_MODE (S_IFDIR | 0700)

static void forget_name(struct server *s, struct node *dir, const char *name)
{
	struct node *n = dir ? node_peek(s, dir, name) : NULL;

	if (!n)
		return;
	node_unlink(s, n);
	node_release(s, n);
}

/* What follows "files/" or "files/N/" in the place of a grant, or NULL if it is elsewhere. */
static const char *name_beneath(const struct grant *g, const char *sub)
{
	const char *rest = g->place;
	size_t n = strlen(sub);

	if (g->revoked || strncmp(rest, GATE_FILES "/", sizeof GATE_FILES) != 0)
		return NULL;
	rest += sizeof GATE_FILES;
	if (n && (strncmp(rest, sub, n) != 0 || rest[n] != '/'))
		return NULL;
	return n ? rest + n + 1 : rest;
}

/* There is a "files/N" as long as something is in it. */
static bool has_sub(struct server *s, const char *sub)
{
	for (const struct grant *g = s->grants; g; g = g->next)
		if (name_beneath(g, sub))
			return true;
	for (const struct private *p = s->privates; p; p = p->next)
		if (!strcmp(p->sub, sub))
			return true;
	return false;
}

/* Private files are room on the user's disk: they are for whoever may write there anyway. */
static bool may_make(struct server *s)
{
	for (const struct grant *g = s->grants; g; g = g->next)
		if (g->kind == GATE_FILE && g->writable && name_beneath(g, ""))
			return true;
	return false;
}

static int files_lookup(struct server *s, struct node *dir, const char *name, struct node **ret)
{
	struct slot l;
	int r = slot_find(s, dir, name, &l);

	if (r < 0)
		return r;
	if (l.grant && l.grant->kind == GATE_TREE)
		*ret = node_get(s, dir, name, &kind_tree, l.grant);
	else if (slot_fd(&l) >= 0)
		*ret = node_get(s, dir, name, &kind_file, l.grant);
	else if (!l.grant && !*l.sub && has_sub(s, name))
		*ret = node_get(s, dir, name, &kind_files, NULL);
	else
		r = -ENOENT;
	if (r < 0)
		forget_name(s, dir, name);
	return r;
}

/* --- Listing ------------------------------------------------------------------------------------
 */

static void fill_dir(struct server *s, struct stat *ret)
{
	*ret = (struct stat){ .st_ino = 1, .st_mode = DIR_MODE, .st_nlink = 2 };
	ret->st_uid = s->own_uid;
	ret->st_gid = s->own_gid;
}

struct lister {
	struct server *s;
	const char *sub;
	directory_fn *fn;
	void *user;
	char **subs; /* listed already */
};

static bool list_fd(struct lister *l, const char *name, int fd)
{
	struct stat st;

	return fd < 0 || fstat(fd, &st) < 0 || l->fn(l->user, name, &st);
}

static bool list_sub(struct lister *l, const char *name, size_t length)
{
	_cleanup_free_ char *sub = xstrndup(name, length);
	struct stat st;

	for (char **at = l->subs; at && *at; at++)
		if (!strcmp(*at, sub))
			return true;
	strv_add(&l->subs, sub);
	fill_dir(l->s, &st);
	return l->fn(l->user, sub, &st);
}

static bool list_grant(struct lister *l, const struct grant *g)
{
	const char *name = name_beneath(g, l->sub);
	const char *slash = name ? strchr(name, '/') : NULL;

	if (slash)
		return list_sub(l, name, (size_t)(slash - name));
	/* What is at the place of a given file is listed with the private ones. */
	if (!name || private_find(l->s, l->sub, name))
		return true;
	return list_fd(l, name, g->fd);
}

static bool list_private(struct lister *l, const struct private *p)
{
	if (!strcmp(p->sub, l->sub))
		return list_fd(l, p->name, p->fd);
	return *l->sub || list_sub(l, p->sub, strlen(p->sub));
}

static int files_list(struct server *s, struct node *dir, directory_fn *fn, void *user)
{
	struct lister l = { .s = s, .fn = fn, .user = user };
	struct slot here;
	bool more = true;
	int r = slot_find(s, dir, "", &here);

	if (r < 0)
		return r;
	l.sub = here.sub;
	for (const struct grant *g = s->grants; g && more; g = g->next)
		more = list_grant(&l, g);
	for (const struct private *p = s->privates; p && more; p = p->next)
		more = list_private(&l, p);
	strv_free(l.subs);
	return 0;
}

/* --- Changing -----------------------------------------------------------------------------------
 */

/* May the name come to be another file, or none? */
static int check_change(struct server *s, const struct slot *l)
{
	if (l->grant && l->grant->kind == GATE_TREE)
		return -EBUSY;
	if (!l->grant && !l->private && !*l->sub && has_sub(s, l->name))
		return -EBUSY;
	if (l->grant ? !l->grant->writable : !may_make(s))
		return -EROFS;
	return 0;
}

static int open_existing(struct server *s, struct node *dir, const struct slot *l, int flags,
			 struct node **ret, struct handle *ret_handle)
{
	struct node *n = node_get(s, dir, l->name, &kind_file, l->grant);
	int r;

	r = flags & O_EXCL ? -EEXIST : kind_file.open(s, n, flags, ret_handle);
	if (r == 0)
		*ret = n;
	else
		node_release(s, n);
	return r;
}

static int files_create(struct server *s, struct node *dir, const char *name, mode_t mode,
			int flags, struct node **ret, struct handle *ret_handle)
{
	_cleanup_close_ int fd = -EBADF;
	struct private *p;
	struct slot l;
	int r;

	r = slot_find(s, dir, name, &l);
	if (r == 0 && slot_fd(&l) >= 0)
		return open_existing(s, dir, &l, flags, ret, ret_handle);
	if (r == 0)
		r = check_change(s, &l);
	if (r == 0)
		r = private_make(s, l.grant, l.sub, name, &p);
	if (r < 0)
		return r;
	fd = fcntl(p->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0 || fchmod(p->fd, mode & 0777) < 0) {
		r = -errno;
		private_drop(s, p, true);
		return r;
	}
	/* Nobody will flush what is not opened for writing. */
	if (l.grant && (flags & O_ACCMODE) == O_RDONLY) {
		r = slot_commit(s, l.grant, p, NULL);
		if (r < 0) {
			private_drop(s, p, true);
			return r;
		}
	}
	*ret = node_get(s, dir, name, &kind_file, l.grant);
	ret_handle->fd = TAKE_FD(fd);
	return 0;
}

/* There is nothing outside that it could be. */
static int files_make_dir(struct server *s, struct node *dir, const char *name, mode_t mode,
			  struct node **ret)
{
	(void)dir;
	(void)name;
	(void)mode;
	(void)ret;
	return may_make(s) ? -EPERM : -EROFS;
}

static int files_symlink(struct server *s, struct node *dir, const char *name, const char *target,
			 struct node **ret)
{
	(void)target;
	return files_make_dir(s, dir, name, 0, ret);
}

/* What the user has outside stays. */
static void vacate(struct grant *g)
{
	g->fd = close_fd(g->fd);
}

static bool is_being_written(const struct node *n)
{
	for (const struct handle *h = n ? n->handles : NULL; h; h = h->next)
		if (h->writable)
			return true;
	return false;
}

/* What is open of a given file that has no name inside any more is not the user's file any more:
 * what is written there goes to a copy, which nothing outside has. */
static int leave_copy(struct server *s, const struct slot *l, struct node *n)
{
	struct private *p;
	int r = slot_copy(s, l, &p);

	if (r < 0)
		return r;
	slot_move_handles(n, p->fd);
	private_drop(s, p, true);
	return 0;
}

static int files_unlink(struct server *s, struct node *dir, const char *name)
{
	struct node *n = node_peek(s, dir, name);
	struct slot l;
	int r;

	r = slot_find(s, dir, name, &l);
	if (r < 0)
		return r;
	if (slot_fd(&l) < 0)
		return l.grant && l.grant->kind == GATE_TREE ? -EISDIR : -ENOENT;
	if (l.grant && !l.grant->writable)
		return -EROFS;
	if (!l.private && is_being_written(n)) {
		r = leave_copy(s, &l, n);
		if (r < 0)
			return r;
	}
	if (l.private)
		private_drop(s, l.private, true);
	if (l.grant)
		vacate(l.grant);
	forget_name(s, dir, name);
	return 0;
}

static int files_exchange(struct server *s, struct node *dir, const struct slot *from,
			  struct node *to_dir, const struct slot *to)
{
	struct node *a, *b;

	/* With a given file it would be two changes outside, of which one can fail. */
	if (from->grant || to->grant || !from->private || !to->private)
		return -EINVAL;
	a = node_get(s, dir, from->name, &kind_file, NULL);
	b = node_get(s, to_dir, to->name, &kind_file, NULL);
	private_rename(from->private, to->sub, to->name);
	private_rename(to->private, from->sub, from->name);
	node_swap(s, a, b);
	node_release(s, a);
	node_release(s, b);
	return 0;
}

/* The private file that is to take the other name: what is there, or a copy of the user's file. */
static int take_source(struct server *s, const struct slot *from, struct private **ret)
{
	*ret = from->private;
	return from->private ? 0 : slot_copy(s, from, ret);
}

static int move(struct server *s, struct node *dir, const struct slot *from, struct node *to_dir,
		const struct slot *to)
{
	struct node *n = node_peek(s, dir, from->name);
	struct private *p;
	int r;

	r = take_source(s, from, &p);
	if (r < 0)
		return r;
	/* What is open of a given file that gets another name is the copy's: the user's file has no
	 * name inside any more. */
	if (n && !from->private)
		slot_move_handles(n, p->fd);
	if (!to->grant)
		private_rename(p, to->sub, to->name);
	else if ((r = slot_commit(s, to->grant, p, n)) < 0) {
		if (n && !from->private)
			slot_move_handles(n, from->grant->fd);
		if (!from->private)
			private_drop(s, p, true);
		return r;
	}
	/* From here on nothing can fail. */
	if (to->private)
		private_drop(s, to->private, true);
	if (from->grant)
		vacate(from->grant);
	if (!n) {
		forget_name(s, to_dir, to->name);
		return 0;
	}
	slot_set_grant(s, n, to->grant);
	node_rename(s, n, to_dir, to->name);
	if (to->grant)
		server_say_opened(s, n, true);
	return 0;
}

static int files_rename(struct server *s, struct node *dir, const char *name, struct node *to_dir,
			const char *to_name, unsigned flags)
{
	struct slot from, to;
	int r;

	r = slot_find(s, dir, name, &from);
	if (r == 0)
		r = slot_find(s, to_dir, to_name, &to);
	if (r == 0)
		r = check_change(s, &from);
	if (r == 0)
		r = check_change(s, &to);
	if (r == 0 && slot_fd(&from) < 0)
		r = -ENOENT;
	if (r == 0 && strlen(to_name) > PRIVATE_NAME_MAX)
		r = -ENAMETOOLONG;
	if (r < 0)
		return r;
	if (flags & RENAME_EXCHANGE)
		return files_exchange(s, dir, &from, to_dir, &to);
	if (flags & ~(unsigned)RENAME_NOREPLACE)
		return -EINVAL;
	if (flags & RENAME_NOREPLACE && slot_fd(&to) >= 0)
		return -EEXIST;
	if (dir == to_dir && !strcmp(name, to_name))
		return 0;
	return move(s, dir, &from, to_dir, &to);
}

static int files_stat(struct server *s, struct node *n, const struct handle *h, struct stat *ret)
{
	(void)n;
	(void)h;
	fill_dir(s, ret);
	return 0;
}

static int files_change(struct server *s, struct node *n, struct handle *h, const struct stat *to,
			int what)
{
	(void)s;
	(void)n;
	(void)h;
	(void)to;
	(void)what;
	return -EPERM;
}

static int files_access(struct server *s, struct node *n, int mask)
{
	(void)n;
	return mask & W_OK && !may_make(s) ? -EROFS : 0;
}

const struct kind kind_files = {
	.lookup = files_lookup,
	.list = files_list,
	.create = files_create,
	.make_dir = files_make_dir,
	.symlink = files_symlink,
	.unlink = files_unlink,
	.rename = files_rename,
	.stat = files_stat,
	.change = files_change,
	.access = files_access,
};

/* --- Grants -------------------------------------------------------------------------------------
 */

/* The private file that has the place of a grant, and the directory, if the kernel knows it. */
static struct private *private_at(struct server *s, const struct grant *g, struct node **ret_dir,
				  const char **ret_name)
{
	const char *name = g->place + sizeof GATE_FILES, *slash = strchr(name, '/');
	_cleanup_free_ char *sub = xstrndup(name, slash ? (size_t)(slash - name) : 0);

	*ret_name = slash ? slash + 1 : name;
	*ret_dir = slot_dir(s, sub);
	return private_find(s, sub, *ret_name);
}

int files_grant(struct server *s, struct grant *g)
{
	const char *name;
	struct node *dir;
	struct private *p = private_at(s, g, &dir, &name);

	if (!p)
		return 0;
	/* The application has saved there before its user gave it the name. If that fails, what
	 * the application has is tried again when it closes it. */
	if (g->kind == GATE_FILE && g->writable && g->fd < 0) {
		struct node *n = dir ? node_peek(s, dir, name) : NULL;

		(void)slot_commit(s, g, p, n);
		if (n)
			slot_set_grant(s, n, g);
		return 0;
	}
	private_drop(s, p, true);
	forget_name(s, dir, name);
	return 0;
}

void files_replaced(struct server *s, struct grant *g, int fd)
{
	const char *name;
	struct node *dir;
	struct private *p = private_at(s, g, &dir, &name);

	close_fd(g->fd);
	g->fd = fd;
	/* What is still to become the file goes on as long as nothing else is there. */
	if (p && fd < 0)
		return;
	if (p)
		private_drop(s, p, true);
	forget_name(s, dir, name);
}

void files_revoke(struct server *s, struct grant *g)
{
	const char *name;
	struct node *dir;
	struct private *p = private_at(s, g, &dir, &name);

	if (g->kind == GATE_FILE)
		g->fd = close_fd(g->fd);
	if (p)
		private_drop(s, p, true);
}
