#include "gate/watch.h"

#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/statfs.h>

#include "gate/path.h"
#include "gate/request.h"
#include "gate/revoke.h"

#define WATCHES_MAX 4096U     /* of the user's, who has others (inotify(7), max_user_watches) */
#define NUMBERS_MAX (1 << 20) /* they are not used again */
#define CHANGES                                                                        \
	(IN_ATTRIB | IN_CREATE | IN_DELETE | IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | \
	 IN_ONLYDIR | IN_EXCL_UNLINK)

struct node *watch_of(struct node *n)
{
	if (n->kind != &kind_tree || !n->parent)
		return NULL;
	return path_is_tree(n) ? n : n->parent;
}

static void make_room(struct server *s, size_t n)
{
	size_t room = s->n_watches ? s->n_watches : 64;

	if (n < s->n_watches)
		return;
	while (room <= n)
		room *= 2;
	s->watches = xreallocarray(s->watches, room, sizeof *s->watches);
	memset(s->watches + s->n_watches, 0, (room - s->n_watches) * sizeof *s->watches);
	s->n_watches = room;
}

/* Where others change files, and nobody here hears of it (statfs(2); linux/magic.h has not all). */
static bool is_local(int fd)
{
	static const unsigned long remote[] = {
		0x01021997, /* 9p */
		0x00c36400, /* ceph */
		0xff534d42, /* cifs */
		0x65735546, /* fuse */
		0x00006969, /* nfs */
		0xfe534d42, /* smb2 */
		0x0000517b, /* smb */
		0x786f4256, /* vboxsf */
	};
	struct statfs st;

	if (fstatfs(fd, &st) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(remote); i++)
		if (((unsigned long)st.f_type & 0xffffffff) == remote[i])
			return false;
	return true;
}

/* inotify_add_watch(2) wants a path: "." of a directory that this process is in for so long. */
static int add_watch(struct server *s, int fd)
{
	int number = fchdir(fd) < 0 ? -1 : inotify_add_watch(s->watch_fd, ".", CHANGES);

	(void)fchdir(s->root);
	return number;
}

void watch_begin(struct server *s, struct node *dir, int fd)
{
	int number;

	if (dir->watch || s->watch_fd < 0 || s->n_watched >= WATCHES_MAX || !is_local(fd))
		return;
	number = add_watch(s, fd);
	if (number <= 0)
		return;
	if (number > NUMBERS_MAX) {
		(void)inotify_rm_watch(s->watch_fd, number);
		return;
	}
	make_room(s, (size_t)number);
	/* The same directory in two given trees is watched for the first of them. */
	if (s->watches[number])
		return;
	s->watches[number] = dir;
	s->n_watched++;
	dir->watch = number;
}

static void forget(struct server *s, struct node *dir)
{
	s->watches[dir->watch] = NULL;
	s->n_watched--;
	dir->watch = 0;
}

void watch_end(struct server *s, struct node *dir)
{
	if (!dir->watch)
		return;
	(void)inotify_rm_watch(s->watch_fd, dir->watch);
	forget(s, dir);
}

/* The kernel has not heard of it, or forgets it meanwhile: fine, both. */
static void tell(struct server *s, const struct node *n)
{
	if (n->lookups)
		(void)fuse_lowlevel_notify_inval_inode(s->session, n->id, -1, 0);
}

static void tell_of_all(struct server *s)
{
	for (uint64_t id = 1; id < s->nodes.room; id++) {
		const struct node *n = table_find(&s->nodes, id);

		if (n && n->kind == &kind_tree)
			tell(s, n);
	}
}

/* What the box does itself is told as well, and changes nothing of what it knows. */
static bool leads_elsewhere(struct server *s, const struct node *dir, const struct node *n)
{
	struct path path;
	struct stat st;
	int fd = path_of(dir, &path) < 0 ? -ENOENT : path_enter(s, dir, &path);

	return fd < 0 || fstatat(fd, n->name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	       st.st_dev != n->dev || st.st_ino != n->ino;
}

/* The kernel inside does not look at the mode of a directory whose entries it still believes. */
static void check_search(struct server *s, const struct node *dir)
{
	struct path path;
	int fd = path_of(dir, &path) < 0 ? -ENOENT : path_enter(s, dir, &path);

	if (fd < 0 || faccessat(fd, ".", X_OK, 0) == 0)
		return;
	for (uint64_t id = 1; id < s->nodes.room; id++) {
		const struct node *n = table_find(&s->nodes, id);

		if (n && n->parent == dir && n->lookups)
			revoke_name(s, dir, n->name);
	}
}

static void on_change(struct server *s, const struct inotify_event *e)
{
	const uint32_t of_names = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO;
	struct node *dir, *n;

	if (e->mask & IN_Q_OVERFLOW)
		tell_of_all(s);
	if (e->wd <= 0 || (size_t)e->wd >= s->n_watches || !s->watches[e->wd])
		return;
	dir = s->watches[e->wd];
	if (e->mask & IN_IGNORED) {
		forget(s, dir);
		return;
	}
	tell(s, dir);
	if (!e->len && e->mask & IN_ATTRIB)
		check_search(s, dir);
	n = e->len ? node_peek(s, dir, e->name) : NULL;
	if (!n || !n->lookups)
		return;
	tell(s, n);
	if (e->mask & of_names && leads_elsewhere(s, dir, n))
		revoke_name(s, dir, n->name);
}

void watch_hear(struct server *s)
{
	ssize_t n = read(s->watch_fd, s->buffer, SERVER_BUFFER);
	const struct inotify_event *e;

	for (const char *at = s->buffer; n > 0 && at < s->buffer + n; at += sizeof *e + e->len) {
		e = (const struct inotify_event *)(const void *)at;
		on_change(s, e);
	}
	path_forget(s);
}
