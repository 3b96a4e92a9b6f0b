/* What the supervisor is told. It may be waiting for this process at the same time, so nothing here
 * ever waits for it. */

#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/wire.h"
#include "gate/path.h"
#include "gate/server.h"

struct saying {
	struct saying *next;
	size_t size;
	char data[];
};

/* False: there is no room now. Whoever is gone needs no answer. */
static bool say(struct server *s, const void *data, size_t size)
{
	return send(s->control, data, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 ||
	       (errno != EAGAIN && errno != ENOBUFS);
}

void server_say(struct server *s, const void *data, size_t size, bool is_answer)
{
	struct saying *later;

	if (!s->sayings && say(s, data, size))
		return;
	if (!is_answer) {
		s->unsaid++;
		return;
	}
	later = xmalloc(sizeof *later + size);
	later->next = NULL;
	later->size = size;
	memcpy(later->data, data, size);
	*s->last_saying = later;
	s->last_saying = &later->next;
}

static void drop_first(struct server *s)
{
	struct saying *first = s->sayings;

	s->sayings = first->next;
	if (!s->sayings)
		s->last_saying = &s->sayings;
	free(first);
}

void server_say_kept(struct server *s)
{
	while (s->sayings && say(s, s->sayings->data, s->sayings->size))
		drop_first(s);
}

void server_say_nothing(struct server *s)
{
	while (s->sayings)
		drop_first(s);
}

void server_answer(struct server *s, uint32_t message, uint32_t grant, const char *why)
{
	_cleanup_buf_ struct buf b = { 0 };

	wire_put_u32(&b, message);
	wire_put_u32(&b, grant);
	if (why)
		wire_put_string(&b, why);
	server_say(s, b.data, b.size, true);
}

void server_say_opened(struct server *s, struct node *n, bool writable)
{
	_cleanup_buf_ struct buf b = { 0 };
	struct path p;
	bool is_tree;

	if (!n->grant || (writable ? n->was_written : n->was_opened))
		return;
	n->was_opened = true;
	n->was_written |= writable;
	is_tree = n->grant->kind == GATE_TREE && path_of(n, &p) == 0;
	wire_put_u32(&b, GATE_OPENED);
	wire_put_u32(&b, n->grant->id);
	wire_put_u32(&b, writable);
	wire_put_string(&b, is_tree ? p.at : "");
	server_say(s, b.data, b.size, false);
}
