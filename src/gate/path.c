#include "gate/path.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>

#include "base/fs.h"
#include "gate/server.h"

#define BENEATH (RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS)

bool path_is_tree(const struct node *n)
{
	return n->parent && n->parent->grant != n->grant;
}

int path_of(const struct node *n, struct path *ret)
{
	char *at = ret->text + sizeof ret->text;

	*--at = '\0';
	for (; !path_is_tree(n); n = n->parent) {
		size_t length;

		if (!n->parent)
			return -ENOENT;
		length = strlen(n->name);
		/* One more for the slash, which also ends what would go round in circles. */
		if (length + 1 > (size_t)(at - ret->text))
			return -ENAMETOOLONG;
		if (*at)
			*--at = '/';
		at -= length;
		memcpy(at, n->name, length);
	}
	ret->at = at;
	return 0;
}

/* The one of this directory, or the one that was not used last, for it to be put there. */
static struct way *find_way(struct server *s, const struct node *dir)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->ways); i++)
		if (s->ways[i].generation == dir->generation)
			return s->last_way = &s->ways[i];
	s->last_way = s->last_way == &s->ways[0] ? &s->ways[1] : &s->ways[0];
	return s->last_way;
}

int path_enter(struct server *s, const struct node *dir, const struct path *p)
{
	struct way *w;
	int fd;

	if (p->at[0] == '\0')
		return dir->grant->fd;
	w = find_way(s, dir);
	if (w->generation == dir->generation)
		return w->fd;
	close_fd(w->fd);
	*w = WAY_NONE;
	fd = fs_open_beneath(dir->grant->fd, p->at, O_PATH | O_DIRECTORY | O_NOFOLLOW, BENEATH, 0);
	/* Something else took a name on the way. */
	if (fd == -EXDEV || fd == -ELOOP || fd == -ENOTDIR)
		return -ENOENT;
	if (fd >= 0)
		*w = (struct way){ .generation = dir->generation, .fd = fd };
	return fd;
}

void path_forget(struct server *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(s->ways); i++) {
		close_fd(s->ways[i].fd);
		s->ways[i] = WAY_NONE;
	}
}
