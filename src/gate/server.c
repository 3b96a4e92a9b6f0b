/*
 * Answers the kernel: finds the node that a number stands for, lets its kind do the work, and tells
 * the result. Requests come from the kernel, so they are well formed; numbers and names are checked
 * all the same.
 */

#include "gate/server.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/statvfs.h>
#include <time.h>

#include "gate/budget.h"
#include "gate/path.h"
#include "gate/private.h"
#include "gate/request.h"
#include "gate/revoke.h"
#include "gate/watch.h"

#define NOBODY		   65534U
#define PERMISSIONS	   0777U
#define PAGE_SIZE	   4096U
#define BACKGROUND_MAX	   64U /* reads ahead, and the like, at a time */
#define BACKGROUND_CROWDED 48U

/* --- What requests have in common
 * ----------------------------------------------------------------- */

int request_node(fuse_req_t req, fuse_ino_t ino, struct node **ret)
{
	struct node *n = node_find(request_server(req), ino);

	if (!n)
		return -ESTALE;
	if (n->grant && n->grant->revoked)
		return n->handles ? -EIO : -ENOENT;
	*ret = n;
	return 0;
}

int request_name(fuse_req_t req, fuse_ino_t ino, const char *name, struct node **ret)
{
	if (name[0] == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 ||
	    strcmp(name, "..") == 0)
		return -EINVAL;
	if (strlen(name) > NAME_MAX)
		return -ENAMETOOLONG;
	if (request_server(req)->n_nodes >= SERVER_NODES_MAX)
		return -ENOMEM;
	return request_node(req, ino, ret);
}

int request_handle(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi,
		   struct handle **ret)
{
	struct handle *h = fi ? table_find(&request_server(req)->handles, fi->fh) : NULL;

	if (!h || h->node->id != ino)
		return -EBADF;
	if (h->node->grant && h->node->grant->revoked)
		return -EIO;
	*ret = h;
	return 0;
}

/* Files of one file system keep their numbers, which git(1) for one remembers; those of others
 * must not look like the same files. */
ino_t request_show_inode(struct server *s, const struct stat *st)
{
	size_t i = 0;

	if (st->st_dev == 0)
		return st->st_ino; /* a directory of the gate's own */
	while (i < s->n_devices && s->devices[i] != st->st_dev)
		i++;
	if (i == s->n_devices && i < SERVER_DEVICES_MAX)
		s->devices[s->n_devices++] = st->st_dev;
	return st->st_ino ^ (ino_t)i << 56;
}

static void show(struct server *s, const struct stat *st, struct stat *ret)
{
	*ret = *st;
	ret->st_ino = request_show_inode(s, st);
	ret->st_dev = 0;
	ret->st_uid = st->st_uid == s->own_uid ? s->uid : NOBODY;
	ret->st_gid = st->st_gid == s->own_gid ? s->gid : NOBODY;
	ret->st_mode = st->st_mode & (S_IFMT | PERMISSIONS);
}

static bool is_at_rest(const struct stat *st)
{
	struct timespec now;

	return clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0 &&
	       now.tv_sec - st->st_ctim.tv_sec > REQUEST_REST_S;
}

/* Watching begins with what is said next: this is from before. */
static double belief(struct server *s, struct node *n, const struct stat *st)
{
	struct node *dir = watch_of(n);
	struct path path;
	int fd;

	if (!dir || !is_at_rest(st))
		return REQUEST_BELIEF;
	if (dir->watch)
		return REQUEST_BELIEF_WATCHED;
	fd = path_of(dir, &path) < 0 ? -ENOENT : path_enter(s, dir, &path);
	if (fd >= 0)
		watch_begin(s, dir, fd);
	return REQUEST_BELIEF;
}

/* Returns for how long it may be believed, or -errno. */
static double show_node(struct server *s, struct node *n, struct stat *ret)
{
	struct stat st;
	int r = 0;

	if (s->seen.of == n)
		st = s->seen.st;
	else
		r = n->kind->stat(s, n, NULL, &st);
	s->seen.of = NULL;
	if (r < 0)
		return r;
	show(s, &st, ret);
	n->told = st.st_ctim;
	n->was_told = true;
	return belief(s, n, &st);
}

int request_entry(struct server *s, int r, struct node *n, struct fuse_entry_param *ret)
{
	double seconds;

	if (r < 0)
		return r;
	n->lookups++;
	*ret = (struct fuse_entry_param){ .ino = n->id, .generation = n->generation };
	seconds = show_node(s, n, &ret->attr);
	if (seconds < 0) {
		n->lookups--;
		node_release(s, n);
		return (int)seconds;
	}
	ret->attr_timeout = ret->entry_timeout = seconds;
	return 0;
}

static void forget(struct server *s, fuse_ino_t ino, uint64_t lookups)
{
	struct node *n = node_find(s, ino);

	if (!n || ino == FUSE_ROOT_ID)
		return;
	n->lookups -= lookups < n->lookups ? lookups : n->lookups;
	node_release(s, n);
}

static void answer_entry(fuse_req_t req, int r, struct node *n)
{
	struct server *s = request_server(req);
	struct fuse_entry_param e;

	r = request_entry(s, r, n, &e);
	if (r < 0)
		(void)fuse_reply_err(req, -r);
	else if (fuse_reply_entry(req, &e) < 0)
		forget(s, e.ino, 1); /* whoever asked was interrupted: the kernel did not take it */
}

static void answer(fuse_req_t req, int r)
{
	(void)fuse_reply_err(req, r < 0 ? -r : 0);
}

/* --- Names
 * ---------------------------------------------------------------------------------------- */

/* What a kind cannot do at all is refused as on a read-only file system. */
#define CALL(operation, n, ...) ((n)->kind->operation ? (n)->kind->operation(__VA_ARGS__) : -EROFS)

static void lookup(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct server *s = request_server(req);
	struct node *dir, *n = NULL;
	int r = request_name(req, ino, name, &dir);

	s->seen.of = NULL;
	if (r == 0)
		r = dir->kind->lookup ? dir->kind->lookup(s, dir, name, &n) : -ENOTDIR;
	answer_entry(req, r, n);
}

static void forget_one(fuse_req_t req, fuse_ino_t ino, uint64_t lookups)
{
	forget(request_server(req), ino, lookups);
	fuse_reply_none(req);
}

static void forget_many(fuse_req_t req, size_t n, struct fuse_forget_data *forgets)
{
	for (size_t i = 0; i < n; i++)
		forget(request_server(req), forgets[i].ino, forgets[i].nlookup);
	fuse_reply_none(req);
}

static void make_dir(fuse_req_t req, fuse_ino_t ino, const char *name, mode_t mode)
{
	struct server *s = request_server(req);
	struct node *dir, *n = NULL;
	int r = request_name(req, ino, name, &dir);

	s->seen.of = NULL;
	if (r == 0)
		r = CALL(make_dir, dir, s, dir, name, mode & PERMISSIONS, &n);
	answer_entry(req, r, n);
}

static void make_symlink(fuse_req_t req, const char *target, fuse_ino_t ino, const char *name)
{
	struct server *s = request_server(req);
	struct node *dir, *n = NULL;
	int r = request_name(req, ino, name, &dir);

	s->seen.of = NULL;
	if (r == 0)
		r = CALL(symlink, dir, s, dir, name, target, &n);
	answer_entry(req, r, n);
}

static void unlink_name(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct node *dir;
	int r = request_name(req, ino, name, &dir);

	if (r == 0)
		r = CALL(unlink, dir, request_server(req), dir, name);
	answer(req, r);
}

static void remove_dir(fuse_req_t req, fuse_ino_t ino, const char *name)
{
	struct node *dir;
	int r = request_name(req, ino, name, &dir);

	if (r == 0)
		r = CALL(remove_dir, dir, request_server(req), dir, name);
	answer(req, r);
}

static void rename_name(fuse_req_t req, fuse_ino_t ino, const char *name, fuse_ino_t to_ino,
			const char *to_name, unsigned flags)
{
	struct node *dir, *to_dir = NULL;
	int r = request_name(req, ino, name, &dir);

	if (r == 0)
		r = request_name(req, to_ino, to_name, &to_dir);
	if (r == 0 && flags != 0 && flags != RENAME_NOREPLACE && flags != RENAME_EXCHANGE)
		r = -EINVAL;
	if (r == 0 && dir->kind != to_dir->kind)
		r = -EXDEV;
	if (r == 0)
		r = CALL(rename, dir, request_server(req), dir, name, to_dir, to_name, flags);
	answer(req, r);
}

/* Two names of one file would be two files to the kernel inside. */
static void link_name(fuse_req_t req, fuse_ino_t ino, fuse_ino_t dir, const char *name)
{
	(void)ino;
	(void)dir;
	(void)name;
	answer(req, -EPERM);
}

/* --- Attributes
 * ----------------------------------------------------------------------------------- */

static void answer_attributes(fuse_req_t req, int r, struct node *n)
{
	struct stat st;
	double seconds = r;

	if (r == 0)
		seconds = show_node(request_server(req), n, &st);
	if (seconds < 0)
		answer(req, (int)seconds);
	else
		(void)fuse_reply_attr(req, &st, seconds);
}

static void getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct node *n = NULL;
	int r = request_node(req, ino, &n);

	(void)fi; /* the kernel does not tell */
	request_server(req)->seen.of = NULL;
	answer_attributes(req, r, n);
}

/* Nobody inside can give a file away; what it is already it may be again. */
static int check_owner(struct server *s, struct node *n, const struct stat *to, int what)
{
	struct stat st;
	double r;

	if (!(what & (FUSE_SET_ATTR_UID | FUSE_SET_ATTR_GID)))
		return 0;
	if (n->grant && !n->grant->writable)
		return -EROFS;
	if (n->grant && !n->grant->writable)
		return -EROFS;
	r = show_node(s, n, &st);
	if (r < 0)
		return (int)r;
	if ((what & FUSE_SET_ATTR_UID && to->st_uid != st.st_uid) ||
	    (what & FUSE_SET_ATTR_GID && to->st_gid != st.st_gid))
		return -EPERM;
	return 0;
}

static void setattr(fuse_req_t req, fuse_ino_t ino, struct stat *to, int what,
		    struct fuse_file_info *fi)
{
	const int changes = FUSE_SET_ATTR_MODE | FUSE_SET_ATTR_SIZE | FUSE_SET_ATTR_ATIME |
			    FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_ATIME_NOW | FUSE_SET_ATTR_MTIME_NOW;
	struct server *s = request_server(req);
	struct handle *h = NULL;
	struct node *n = NULL;
	int r = request_node(req, ino, &n);

	s->seen.of = NULL;
	if (r == 0 && fi)
		r = request_handle(req, ino, fi, &h);
	if (r == 0 && what & FUSE_SET_ATTR_SIZE && to->st_size < 0)
		r = -EINVAL;
	if (r == 0)
		r = check_owner(s, n, to, what);
	if (r == 0 && what & changes)
		r = CALL(change, n, s, n, h, to, what & changes);
	answer_attributes(req, r, n);
}

static void access_node(fuse_req_t req, fuse_ino_t ino, int mask)
{
	struct node *n;
	int r = request_node(req, ino, &n);

	if (r == 0)
		r = CALL(access, n, request_server(req), n, mask);
	answer(req, r);
}

static void read_link(fuse_req_t req, fuse_ino_t ino)
{
	struct server *s = request_server(req);
	struct node *n;
	int r = request_node(req, ino, &n);

	if (r == 0)
		r = n->kind->readlink ? n->kind->readlink(s, n, s->buffer, PATH_MAX) : -EINVAL;
	if (r < 0)
		answer(req, r);
	else
		(void)fuse_reply_readlink(req, s->buffer);
}

/* Room where it lies. In a directory of the gate's own, where any given file does: programs ask
 * before they save. */
static void statfs(fuse_req_t req, fuse_ino_t ino)
{
	struct server *s = request_server(req);
	struct statvfs st = { .f_bsize = 4096, .f_frsize = 4096, .f_namemax = NAME_MAX };
	const struct grant *g = NULL;
	struct node *n;
	int r = request_node(req, ino, &n);

	if (r < 0) {
		answer(req, r);
		return;
	}
	g = n->grant;
	for (const struct grant *any = s->grants; any && (!g || g->fd < 0); any = any->next)
		if (!any->revoked && any->fd >= 0)
			g = any;
	if (g && g->fd >= 0)
		(void)fstatvfs(g->fd, &st); /* or what stands there */
	if (budget_counts(g) && st.f_frsize > 0 && budget_left(g) / st.f_frsize < st.f_bavail)
		st.f_bavail = st.f_bfree = budget_left(g) / st.f_frsize;
	(void)fuse_reply_statfs(req, &st);
}

/* --- The session
 * ---------------------------------------------------------------------------------- */

static void begin(void *user, struct fuse_conn_info *c)
{
	struct server *s = user;

	c->max_background = BACKGROUND_MAX;
	c->congestion_threshold = BACKGROUND_CROWDED;
	/* The system calls between pipes cost more than copying. */
	c->want &= ~(unsigned)(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
	s->connected = true;
}

/* Locks are the kernel's inside: no operations for them. Neither for extended attributes, ioctl(2)
 * and the rest: what is not here is refused by libfuse. */
static const struct fuse_lowlevel_ops operations = {
	.access = access_node,
	.copy_file_range = request_copy,
	.create = request_create,
	.fallocate = request_fallocate,
	.flush = request_flush,
	.forget = forget_one,
	.forget_multi = forget_many,
	.fsync = request_fsync,
	.fsyncdir = request_fsyncdir,
	.getattr = getattr,
	.init = begin,
	.link = link_name,
	.lookup = lookup,
	.lseek = request_lseek,
	.mkdir = make_dir,
	.mknod = request_mknod,
	.open = request_open,
	.opendir = request_opendir,
	.read = request_read,
	.readdir = request_readdir,
	.readlink = read_link,
	.release = request_release,
	.releasedir = request_releasedir,
	.rename = rename_name,
	.rmdir = remove_dir,
	.setattr = setattr,
	.statfs = statfs,
	.symlink = make_symlink,
	.unlink = unlink_name,
	.write = request_write,
};

struct server *server_new(int control, int keeper)
{
	struct server *s = xcalloc(1, sizeof *s);

	s->control = control;
	s->keeper = keeper;
	s->uid = s->gid = NOBODY;
	s->own_uid = getuid();
	s->own_gid = getgid();
	s->handles_max = SIZE_MAX;
	s->last_saying = &s->sayings;
	s->notifier = -1;
	s->notifier_fd = s->notifier_fuse = -EBADF;
	s->ways[0] = s->ways[1] = WAY_NONE;
	/* The kernel takes whole pages from it, with one copy each where they begin together. */
	s->buffer = aligned_alloc(PAGE_SIZE, SERVER_BUFFER);
	if (!s->buffer)
		abort();
	s->root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	s->watch_fd = s->root < 0 ? -EBADF : inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	(void)node_root(s);
	return s;
}

int server_start(struct server *s)
{
	char *words[] = { (char *)"vitrine-gate", NULL };
	struct fuse_args args = FUSE_ARGS_INIT(1, words);

	s->session = fuse_session_new(&args, &operations, sizeof operations, s);
	fuse_opt_free_args(&args);
	return s->session ? 0 : -EINVAL;
}

static void end_nodes(struct server *s)
{
	/* From below: a directory goes with the last of its entries. */
	for (uint64_t id = s->nodes.room; id-- > FUSE_ROOT_ID + 1;) {
		struct node *n = table_find(&s->nodes, id);

		if (!n)
			continue;
		n->lookups = 0;
		node_release(s, n);
	}
}

struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	for (uint64_t id = 1; id < s->handles.room; id++)
		if (table_find(&s->handles, id))
			handle_free(s, table_find(&s->handles, id));
	for (uint64_t id = 1; id < s->listings.room; id++)
		if (table_find(&s->listings, id))
			listing_free(s, table_find(&s->listings, id));
	end_nodes(s);
	while (s->privates)
		private_drop(s, s->privates, false);
	free(table_find(&s->nodes, FUSE_ROOT_ID));
	for (struct grant *g = s->grants, *next; g; g = next) {
		next = g->next;
		g->revoked = true;
		g->waiting = g->telling = false;
		g->nodes = 0;
		grant_release(s, g);
	}
	if (s->session)
		fuse_session_destroy(s->session);
	server_say_nothing(s);
	revoke_nothing(s);
	path_forget(s);
	table_release(&s->nodes);
	table_release(&s->handles);
	table_release(&s->listings);
	close_fd(s->notifier_fd);
	close_fd(s->notifier_fuse);
	close_fd(s->watch_fd);
	close_fd(s->root);
	free(s->watches);
	free(s->chains);
	free(s->buffer);
	free(s);
	return NULL;
}
