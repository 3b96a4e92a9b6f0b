#include "session/gate.h"

#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "session/gate-private.h"

#define END_MS 2000

static const char *const access_names[GATE_ACCESS_MAX] = {
	[GATE_READ_ONLY] = "read-only",
	[GATE_READ_WRITE] = "read-write",
};

const char *gate_access_to_string(enum gate_access access)
{
	return access_names[access];
}

/* --- what the keeper sees ---------------------------------------------------- */

static void on_replaced(void *user, uint32_t id, int file)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_buf_ struct buf m = { 0 };
	_cleanup_close_ int fd = file;
	struct gate *g = user;

	wire_put_u32(&m, GATE_REPLACED);
	wire_put_u32(&m, id);
	if (gate_process_send(g->process, &m, fd, &error) < 0)
		gate_process_lose(g->process, error->message);
}

static void on_keeper_lost(void *user, const char *why)
{
	struct gate *g = user;

	gate_process_lose(g->process, why);
}

static const struct keeper_events keeper_events = {
	.replaced = on_replaced,
	.lost = on_keeper_lost,
};

/* --- for the supervisor ------------------------------------------------------ */

int gate_new(struct loop *loop, const char *home, const struct gate_events *events, void *user,
	     struct gate **ret, struct error **err)
{
	_cleanup_(gate_endp) struct gate *g = xcalloc(1, sizeof *g);
	int keeper = -EBADF, r;

	*g = (struct gate){
		.loop = loop,
		.home = home,
		.events = *events,
		.user = user,
		.inbox = -EBADF,
		.due = -EBADF,
	};
	items_list(g);
	r = gate_process_start(loop, &item_events, g, &keeper, &g->inbox, &g->process, err);
	if (r >= 0)
		r = keeper_new(loop, keeper, &keeper_events, g, &g->keeper, err);
	if (r < 0)
		return error_prefix(err, "file gate");
	*ret = TAKE_PTR(g);
	return 0;
}

pid_t gate_pid(const struct gate *g)
{
	struct pollfd p = { .fd = gate_process_pidfd(g->process), .events = POLLIN };

	return poll(&p, 1, 0) > 0 ? 0 : gate_process_pid(g->process);
}

int gate_inbox(const struct gate *g)
{
	return g->inbox;
}

/* Is it there as it is asked for now? What has the name of a file follows by itself (the keeper).
 */
static bool is_as_asked(const struct item *i, const struct given *given, enum gate_access access,
			uint64_t limit)
{
	return i->state != ITEM_TAKING && !i->unwanted && i->entry.access == access &&
	       i->entry.limit == limit && i->entry.directory == given->directory &&
	       (!given->directory || fs_is_same(i->given.fd, given->fd));
}

static void on_due(void *user, short revents)
{
	struct gate *g = user;
	bool again;

	(void)revents;
	g->due_source = source_remove(g->due_source);
	/* From the start each time: who is answered may ask for something. */
	do {
		again = false;
		for (struct item *i = g->items; i && !again; i = i->next) {
			again = i->state == ITEM_GIVEN && i->gives;
			if (again)
				item_answer(&i->gives, &i->entry, NULL);
		}
	} while (again);
}

/* Nobody is answered before gate_give() has returned. */
static int answer_soon(struct gate *g, struct error **err)
{
	if (g->due < 0)
		g->due = eventfd(1, EFD_CLOEXEC);
	if (g->due < 0)
		return error_errno(err, "cannot make an event");
	if (!g->due_source)
		g->due_source = loop_add(g->loop, g->due, POLLIN, on_due, g);
	return 0;
}

static char *free_place(const struct gate *g, const char *name)
{
	_cleanup_strv_ char **taken = NULL;

	for (const struct item *i = g->items; i; i = i->next)
		strv_add(&taken, i->entry.place);
	return gate_place(name, taken);
}

static struct item *find_place(const struct gate *g, const char *place)
{
	struct item *found = NULL;

	for (struct item *i = g->items; i; i = i->next)
		if (!strcmp(i->entry.place, place))
			found = i;
	return found;
}

/* The place of what it follows is its own; another one must be nobody's. */
static int choose_place(const struct gate *g, const struct item *old, const char *name,
			const char *wish, char **ret, struct error **err)
{
	const struct item *there = wish && !old ? find_place(g, wish) : NULL;
	_cleanup_free_ char *path = there ? text_escape(there->entry.path, PATH_MAX) : NULL;

	if (there)
		return error_set(err, EEXIST, "'%s' is there already", path);
	if (old)
		*ret = xstrdup(old->entry.place);
	else
		*ret = wish ? xstrdup(wish) : free_place(g, name);
	return 0;
}

/* A new item, which replaces `old` if there is such. Takes `given` over if it succeeds. */
static int add(struct gate *g, struct item *old, struct given *given, const struct gate_entry *e,
	       struct item **ret, struct error **err)
{
	struct item *i;
	char *place = NULL;
	int r;

	if (g->n_items >= GATE_GRANTS_MAX)
		return error_set(err, ENOSPC, "no more than %u files can be given at a time",
				 GATE_GRANTS_MAX);
	r = choose_place(g, old, given->name, e->place, &place, err);
	if (r < 0)
		return r;
	i = xcalloc(1, sizeof *i);
	*i = (struct item){ .entry = *e, .given = *given, .after = old };
	i->entry.id = ++g->last_id;
	i->entry.path = xstrdup(given->path);
	i->entry.place = place;
	*given = GIVEN_NONE;
	r = old ? item_take(g, old, err) : item_ask(g, i, err);
	if (r < 0) {
		item_free(i);
		return r;
	}
	item_append(g, i);
	*ret = i;
	return 0;
}

int gate_give(struct gate *g, struct given *given, const char *place, enum gate_access access,
	      uint64_t limit, gate_done_fn *done, void *user, char **ret_place, struct error **err)
{
	_cleanup_(given_release) struct given mine = *given;
	const struct gate_entry wish = {
		.place = (char *)place,
		.access = access,
		.directory = mine.directory,
		.limit = limit,
	};
	struct item *i = item_find(g, mine.path);
	struct waiter *refused = NULL;
	int r = 0;

	*given = GIVEN_NONE;
	if (i && is_as_asked(i, &mine, access, limit)) {
		if (i->state == ITEM_GIVEN && done)
			r = answer_soon(g, err);
	} else if (i && i->state == ITEM_WAITS) {
		/* It was not asked for yet, so it can be asked for differently. */
		refused = TAKE_PTR(i->gives);
		given_release(&i->given);
		i->given = mine;
		mine = GIVEN_NONE;
		i->entry.access = access;
		i->entry.directory = i->given.directory;
		i->entry.limit = limit;
	} else {
		r = add(g, i, &mine, &wish, &i, err);
	}
	if (r < 0)
		return r;
	item_await(&i->gives, done, user);
	if (ret_place)
		*ret_place = xstrdup(i->entry.place);
	/* Last: who is told may ask for something, and the item be gone. */
	item_refuse(&refused, ECANCELED, "it was given differently meanwhile");
	return 0;
}

bool gate_has(const struct gate *g, const char *path)
{
	return item_find(g, path);
}

int gate_take(struct gate *g, const char *path, gate_done_fn *done, void *user, struct error **err)
{
	_cleanup_free_ char *name = text_escape(path, PATH_MAX);
	struct item *i = item_find(g, path);
	int r;

	if (!i)
		return error_set(err, ENOENT, "'%s' was not given", name);
	if (i->state == ITEM_WAITS) {
		struct item *never = i;

		i = never->after;
		item_unlink(g, never);
		item_refuse(&never->gives, ECANCELED, "it was taken away at once");
		item_free(never);
	}
	r = item_take(g, i, err);
	if (r < 0)
		return r;
	item_await(&i->takes, done, user);
	return 0;
}

int gate_serve(struct gate *g, uint32_t uid, uint32_t gid, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 };

	g->inbox = close_fd(g->inbox);
	wire_put_u32(&m, GATE_SERVE);
	wire_put_u32(&m, uid);
	wire_put_u32(&m, gid);
	return gate_process_send(g->process, &m, -EBADF, err);
}

const struct gate_entry *gate_entries(const struct gate *g)
{
	return g->entries;
}

void gate_drain(struct gate *g, int pidfd, int timeout_ms)
{
	keeper_drain(g->keeper, pidfd, timeout_ms);
}

struct gate *gate_end(struct gate *g)
{
	if (!g)
		return NULL;
	source_remove(g->due_source);
	close_fd(g->due);
	close_fd(g->inbox);
	if (g->process) {
		gate_process_close(g->process);
		if (g->keeper)
			gate_drain(g, gate_process_pidfd(g->process), END_MS);
	}
	for (struct item *i = g->items; i; i = i->next) {
		item_refuse(&i->gives, ESHUTDOWN, "the sandbox ends");
		item_refuse(&i->takes, ESHUTDOWN, "the sandbox ends");
	}
	gate_process_free(g->process);
	keeper_free(g->keeper);
	while (g->items) {
		struct item *i = g->items;

		g->items = i->next;
		item_free(i);
	}
	free(g->entries);
	free(g);
	return NULL;
}
