/* Open directories. What is in one is written down when it is opened, so that nothing is left out
 * or told twice while entries come and go; from the beginning again, it is written down again. */

#include <string.h>

#include "base/buf.h"
#include "gate/request.h"
#include "gate/tree.h"

struct entry {
	ino_t ino;
	mode_t mode;
	size_t name; /* in names */
};

struct listing {
	uint64_t node;
	struct entry *entries;
	size_t n, room;
	struct buf names; /* each with its NUL */
	size_t size;	  /* counted in s->listing_size */
	bool was_read;
};

struct collector {
	struct server *server;
	struct listing *listing;
	bool full; /* there were more, but all open directories together are too large */
};

static bool collect(void *user, const char *name, const struct stat *st)
{
	struct collector *c = user;
	struct listing *l = c->listing;
	size_t size = sizeof *l->entries + strlen(name) + 1;

	c->full = c->server->listing_size + size > SERVER_LISTING_MAX;
	if (c->full)
		return false;
	c->server->listing_size += size;
	l->size += size;
	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 32;
		l->entries = xreallocarray(l->entries, l->room, sizeof *l->entries);
	}
	l->entries[l->n++] = (struct entry){
		.ino = request_show_inode(c->server, st),
		.mode = st->st_mode,
		.name = l->names.size,
	};
	buf_add(&l->names, name, strlen(name) + 1);
	return true;
}

static void clear(struct server *s, struct listing *l)
{
	s->listing_size -= l->size;
	free(l->entries);
	buf_release(&l->names);
	*l = (struct listing){ .node = l->node };
}

void listing_free(struct server *s, struct listing *l)
{
	clear(s, l);
	free(l);
}

static int fill(struct server *s, struct node *dir, struct listing *l)
{
	struct collector c = { .server = s, .listing = l };
	const struct stat st = {
		.st_mode = S_IFDIR,
		.st_dev = dir->dev,
		.st_ino = dir->ino ? dir->ino : dir->id,
	};
	int r;

	if (!dir->kind->list)
		return -ENOTDIR;
	clear(s, l);
	collect(&c, ".", &st);
	collect(&c, "..", &st);
	r = dir->kind->list(s, dir, collect, &c);
	return r == 0 && c.full ? -ENOMEM : r;
}

void request_opendir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = request_server(req);
	struct listing *l;
	struct node *dir;
	int r = request_node(req, ino, &dir);

	if (r < 0) {
		(void)fuse_reply_err(req, -r);
		return;
	}
	l = xcalloc(1, sizeof *l);
	l->node = ino;
	r = s->ending ? -EIO : fill(s, dir, l);
	if (r < 0) {
		listing_free(s, l);
		(void)fuse_reply_err(req, -r);
		return;
	}
	fi->fh = table_add(&s->listings, l);
	if (fuse_reply_open(req, fi) < 0) {
		table_remove(&s->listings, fi->fh);
		listing_free(s, l);
	}
}

static struct listing *find(fuse_req_t req, fuse_ino_t ino, const struct fuse_file_info *fi)
{
	struct listing *l = table_find(&request_server(req)->listings, fi->fh);

	return l && l->node == ino ? l : NULL;
}

/* As many as fit, from entry number `at` on. */
static size_t put(fuse_req_t req, const struct listing *l, size_t at, char *buffer, size_t size)
{
	size_t used = 0;

	for (; at < l->n; at++) {
		const struct entry *e = &l->entries[at];
		const struct stat st = { .st_ino = e->ino, .st_mode = e->mode };
		size_t n = fuse_add_direntry(req, buffer + used, size - used,
					     l->names.data + e->name, &st, (off_t)at + 1);

		if (n > size - used)
			break;
		used += n;
	}
	return used;
}

void request_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t at,
		     struct fuse_file_info *fi)
{
	struct server *s = request_server(req);
	struct listing *l = find(req, ino, fi);
	struct node *dir;
	int r = request_node(req, ino, &dir);

	if (r == 0 && (!l || at < 0))
		r = l ? -EINVAL : -EBADF;
	if (r == 0 && at == 0 && l->was_read)
		r = fill(s, dir, l);
	if (r < 0) {
		(void)fuse_reply_err(req, -r);
		return;
	}
	l->was_read = true;
	size = put(req, l, (size_t)at, s->buffer, size < SERVER_BUFFER ? size : SERVER_BUFFER);
	(void)fuse_reply_buf(req, s->buffer, size);
}

void request_releasedir(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
	struct server *s = request_server(req);
	struct listing *l = find(req, ino, fi);

	if (l) {
		table_remove(&s->listings, fi->fh);
		listing_free(s, l);
	}
	(void)fuse_reply_err(req, 0);
}

/* The directories of the gate's own are nowhere else. */
void request_fsyncdir(fuse_req_t req, fuse_ino_t ino, int only_data, struct fuse_file_info *fi)
{
	struct node *dir;
	int r = request_node(req, ino, &dir);

	(void)only_data;
	(void)fi;
	if (r == 0 && dir->kind == &kind_tree)
		r = tree_sync(request_server(req), dir);
	(void)fuse_reply_err(req, -r);
}
