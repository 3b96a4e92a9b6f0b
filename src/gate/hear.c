/* What the supervisor says (gate/protocol.h). */

#include <limits.h>
#include <string.h>

#include "base/parse.h"
#include "base/sock.h"
#include "base/strv.h"
#include "base/wire.h"
#include "gate/revoke.h"
#include "gate/server.h"

static bool is_name(const char *s, size_t size)
{
	return size > 0 && size <= NAME_MAX && !(size == 1 && s[0] == '.') &&
	       !(size == 2 && s[0] == '.' && s[1] == '.');
}

/* Relative, of names only. Returns how many, or 0 if it is not. */
static unsigned count_names(const char *path)
{
	unsigned n = 0;

	for (;;) {
		size_t size = strcspn(path, "/");

		if (!is_name(path, size))
			return 0;
		n++;
		if (path[size] == '\0')
			return n;
		path += size + 1;
	}
}

static bool is_number(const char *s, size_t size)
{
	_cleanup_free_ char *copy = xstrndup(s, size);
	uint32_t value;

	return parse_u32(copy, &value) == 0;
}

static const char *beneath(const char *place, const char *dir)
{
	size_t size = strlen(dir);

	return strncmp(place, dir, size) == 0 && place[size] == '/' ? place + size + 1 : NULL;
}

/* "files/NAME", "files/N/NAME" or "trees/N" */
static bool place_is_valid(const char *place, enum gate_kind kind)
{
	const char *in_files = beneath(place, GATE_FILES), *in_trees = beneath(place, GATE_TREES);
	unsigned n = count_names(place);

	if (in_trees)
		return n == 2 && kind == GATE_TREE && is_number(in_trees, strlen(in_trees));
	return in_files && (n == 2 || (n == 3 && is_number(in_files, strcspn(in_files, "/"))));
}

static bool masks_are_valid(char *const *masks)
{
	for (; masks && *masks; masks++)
		if (!count_names(*masks))
			return false;
	return true;
}

/* A file that is not there yet has no descriptor. */
static bool fd_is_valid(int fd, enum gate_kind kind)
{
	struct stat st;

	if (fd < 0)
		return kind == GATE_FILE;
	if (fstat(fd, &st) < 0)
		return false;
	return kind == GATE_FILE ? S_ISREG(st.st_mode) : S_ISDIR(st.st_mode);
}

static unsigned count_grants(const struct server *s)
{
	unsigned n = 0;

	for (const struct grant *g = s->grants; g; g = g->next)
		n++;
	return n;
}

static void free_unused(struct grant **g)
{
	if (!*g)
		return;
	close_fd((*g)->fd);
	free((*g)->place);
	strv_free((*g)->masks);
	free(*g);
}

/* NULL: it is there now. */
static const char *add(struct server *s, struct grant **grant)
{
	struct grant *g = *grant;
	int r = 0;

	if (grant_at(s, g->place))
		return "something has that place already";
	if (count_grants(s) >= GATE_GRANTS_MAX)
		return "too many files were given";
	g->next = s->grants;
	s->grants = g;
	if (beneath(g->place, GATE_FILES))
		r = files_grant(s, g);
	if (r < 0) {
		s->grants = g->next;
		return strerror(-r);
	}
	*grant = NULL;
	return NULL;
}

static int hear_grant(struct server *s, struct wire *w, int *fd)
{
	_cleanup_(free_unused) struct grant *g = xcalloc(1, sizeof *g);
	const char *why;
	uint32_t id;

	id = g->id = wire_get_u32(w);
	g->kind = (enum gate_kind)wire_get_u32(w);
	g->writable = wire_get_u32(w);
	g->limit = wire_get_u32(w);
	g->limit |= (uint64_t)wire_get_u32(w) << 32;
	g->place = wire_get_string(w);
	g->masks = wire_get_strv(w);
	g->fd = TAKE_FD(*fd);
	if (!wire_end(w) || !id || grant_find(s, id) || g->kind >= GATE_KIND_MAX ||
	    !place_is_valid(g->place, g->kind) || !masks_are_valid(g->masks) ||
	    !fd_is_valid(g->fd, g->kind))
		return -EPROTO;
	why = add(s, &g);
	server_answer(s, why ? GATE_REFUSED : GATE_GRANTED, id, why);
	return 0;
}

static int hear_serve(struct server *s, struct wire *w, int *fd)
{
	uid_t uid = wire_get_u32(w);
	gid_t gid = wire_get_u32(w);

	if (!wire_end(w) || *fd >= 0 || s->serving)
		return -EPROTO;
	s->uid = uid;
	s->gid = gid;
	s->serving = true;
	return 0;
}

/* It may have been revoked meanwhile. */
static int hear_replaced(struct server *s, struct wire *w, int *fd)
{
	struct grant *g = grant_find(s, wire_get_u32(w));

	if (!wire_end(w) || (g && g->kind != GATE_FILE) || !fd_is_valid(*fd, GATE_FILE))
		return -EPROTO;
	if (g)
		files_replaced(s, g, TAKE_FD(*fd));
	return 0;
}

static int hear_revoke(struct server *s, struct wire *w, int *fd)
{
	uint32_t id = wire_get_u32(w);
	struct grant *g = grant_find(s, id);

	if (!wire_end(w) || *fd >= 0)
		return -EPROTO;
	if (g)
		return revoke_grant(s, g);
	server_answer(s, GATE_REVOKED, id, NULL);
	return 0;
}

typedef int hear_fn(struct server *s, struct wire *w, int *fd);

int server_hear(struct server *s, struct message *m)
{
	static hear_fn *const messages[] = {
		[GATE_SERVE] = hear_serve,
		[GATE_GRANT] = hear_grant,
		[GATE_REPLACED] = hear_replaced,
		[GATE_REVOKE] = hear_revoke,
	};
	struct wire w = wire_open(m->data, m->size);
	uint32_t what = wire_get_u32(&w);
	_cleanup_close_ int fd = m->n_fds == 1 ? TAKE_FD(m->fds[0]) : -EBADF;
	size_t n_fds = m->n_fds;

	message_close_fds(m);
	if (n_fds > 1 || what >= ARRAY_SIZE(messages))
		return -EPROTO;
	return messages[what](s, &w, &fd);
}
