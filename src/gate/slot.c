#include "gate/slot.h"

#include <fcntl.h>
#include <string.h>

#include "base/copy.h"

#define ROOT_ID 1U

/* "" of "files", and N of "files/N"; NULL: it was unlinked. */
static const char *sub_of(const struct node *dir)
{
	if (!dir->parent || !dir->parent->parent)
		return dir->parent ? "" : NULL;
	return dir->name;
}

int slot_find(struct server *s, const struct node *dir, const char *name, struct slot *ret)
{
	const char *sub = sub_of(dir);
	_cleanup_free_ char *place = NULL;

	if (!sub)
		return -ENOENT;
	place = xasprintf(GATE_FILES "%s%s/%s", *sub ? "/" : "", sub, name);
	*ret = (struct slot){
		.sub = sub,
		.name = name,
		.grant = grant_at(s, place),
		.private = private_find(s, sub, name),
	};
	return 0;
}

int slot_of(struct server *s, const struct node *n, struct slot *ret)
{
	return n->parent ? slot_find(s, n->parent, n->name, ret) : -ENOENT;
}

int slot_node_fd(struct server *s, const struct node *n, const struct handle *h)
{
	struct slot l;

	if (h)
		return h->fd;
	if (n->handles)
		return n->handles->fd;
	return slot_of(s, n, &l) < 0 ? -EBADF : slot_fd(&l);
}

void slot_move_handles(struct node *n, int fd)
{
	for (struct handle *h = n->handles; h; h = h->next)
		(void)dup3(fd, h->fd, O_CLOEXEC); /* both are open: it cannot fail */
}

void slot_set_grant(struct server *s, struct node *n, struct grant *g)
{
	struct grant *before = n->grant;

	if (before == g)
		return;
	n->grant = g;
	n->was_opened = n->was_written = false;
	if (g)
		g->nodes++;
	if (before) {
		before->nodes--;
		grant_release(s, before);
	}
}

static bool is_same(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev &&
	       x.st_ino == y.st_ino;
}

int slot_commit(struct server *s, struct grant *g, struct private *p, struct node *n)
{
	int fd, r;

	r = keeper_replace(s, g->id, p->id, &fd);
	if (r < 0)
		return r;
	/* It may be a copy, on another file system. */
	if (n && !is_same(p->fd, fd))
		slot_move_handles(n, fd);
	close_fd(g->fd);
	g->fd = fd;
	private_drop(s, p, false);
	return 0;
}

/* As rename(2) keeps them. */
static int copy_times(int from, int to)
{
	struct timespec times[2];
	struct stat st;

	if (fstat(from, &st) < 0 || fchmod(to, st.st_mode & 0777) < 0)
		return -errno;
	times[0] = st.st_atim;
	times[1] = st.st_mtim;
	return futimens(to, times) < 0 ? -errno : 0;
}

int slot_copy(struct server *s, const struct slot *l, struct private **ret)
{
	struct private *p;
	int r;

	r = private_make(s, l->grant, "", "", &p);
	if (r < 0)
		return r;
	r = copy_all(l->grant->fd, p->fd);
	if (r == 0)
		r = copy_times(l->grant->fd, p->fd);
	if (r < 0) {
		private_drop(s, p, true);
		return r;
	}
	*ret = p;
	return 0;
}

struct node *slot_dir(struct server *s, const char *sub)
{
	struct node *root = node_find(s, ROOT_ID);
	struct node *files = root ? node_peek(s, root, GATE_FILES) : NULL;

	return files && *sub ? node_peek(s, files, sub) : files;
}
