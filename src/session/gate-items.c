#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "plan/plan.h"
#include "session/gate-private.h"

/* --- items ------------------------------------------------------------------- */

struct item *item_find(const struct gate *g, const char *path)
{
	struct item *found = NULL;

	for (struct item *i = g->items; i; i = i->next)
		if (!strcmp(i->entry.path, path))
			found = i;
	return found;
}

static struct item *find_id(const struct gate *g, uint32_t id)
{
	struct item *i = g->items;

	while (i && i->entry.id != id)
		i = i->next;
	return i;
}

void item_free(struct item *i)
{
	given_release(&i->given);
	free(i->entry.path);
	free(i->entry.place);
	free(i);
}

void item_append(struct gate *g, struct item *i)
{
	struct item **place = &g->items;

	while (*place)
		place = &(*place)->next;
	*place = i;
	g->n_items++;
}

void item_unlink(struct gate *g, struct item *i)
{
	struct item **place = &g->items;

	while (*place != i)
		place = &(*place)->next;
	*place = i->next;
	g->n_items--;
}

/* --- who waits --------------------------------------------------------------- */

void item_await(struct waiter **list, gate_done_fn *done, void *user)
{
	struct waiter *w;

	if (!done)
		return;
	while (*list)
		list = &(*list)->next;
	w = xcalloc(1, sizeof *w);
	*w = (struct waiter){ .done = done, .user = user };
	*list = w;
}

void item_answer(struct waiter **list, const struct gate_entry *entry, const struct error *error)
{
	struct waiter *w = TAKE_PTR(*list);

	while (w) {
		struct waiter *next = w->next;

		w->done(w->user, entry, error);
		free(w);
		w = next;
	}
}

void item_refuse(struct waiter **list, int code, const char *why)
{
	_cleanup_(error_freep) struct error *error = NULL;

	error_set(&error, code, "%s", why);
	item_answer(list, NULL, error);
}

/* --- what others are told ---------------------------------------------------- */

static void __attribute__((format(printf, 2, 3))) say(struct gate *g, const char *format, ...)
{
	_cleanup_free_ char *line = NULL;
	va_list ap;

	va_start(ap, format);
	line = xvasprintf(format, ap);
	va_end(ap);
	g->events.said(g->user, line);
}

static char *shown(const char *s)
{
	return text_escape(s, strlen(s));
}

static void say_gave(struct gate *g, const struct gate_entry *e)
{
	_cleanup_free_ char *path = shown(e->path), *place = shown(e->place);
	const char *access = gate_access_to_string(e->access);

	if (!strncmp(e->place, GATE_FILES "/", sizeof(GATE_FILES "/") - 1))
		say(g, "gave '%s' (%s) as " BOX_FILES_DIR "%s", path, access,
		    place + sizeof GATE_FILES - 1);
	else
		say(g, "gave '%s' (%s) at its own place", path, access);
}

static void say_could_not(struct gate *g, const struct gate_entry *e, const char *why)
{
	_cleanup_free_ char *path = shown(e->path);

	say(g, "could not give '%s': %s", path, why);
}

static bool is_listed(const struct item *i)
{
	return i->state == ITEM_GIVEN || i->state == ITEM_TAKING;
}

void items_list(struct gate *g)
{
	size_t n = 0;

	g->entries = xreallocarray(g->entries, g->n_items + 1, sizeof *g->entries);
	for (const struct item *i = g->items; i; i = i->next)
		if (is_listed(i))
			g->entries[n++] = i->entry;
	g->entries[n] = (struct gate_entry){ 0 };
}

static void change(struct gate *g)
{
	items_list(g);
	g->events.changed(g->user);
}

/* --- giving ------------------------------------------------------------------ */

/* What would undo the sandbox is never seen in a tree, whatever it is that was given. */
static int tree_masks(const struct gate *g, const char *path, char ***ret, struct error **err)
{
	struct protection p;
	int r = protection_gather(g->home, &p, err);

	if (r < 0)
		return r;
	*ret = protected_masks(&p, path);
	protection_release(&p);
	return 0;
}

static int send_grant(struct gate *g, const struct item *i, struct error **err)
{
	const struct gate_entry *e = &i->entry;
	_cleanup_strv_ char **masks = NULL;
	_cleanup_buf_ struct buf m = { 0 };
	_cleanup_close_ int fd = -EBADF;
	bool writable = e->access == GATE_READ_WRITE;
	int r = 0;

	if (i->given.fd >= 0)
		r = given_reopen(&i->given, writable, &fd, err);
	if (r >= 0 && e->directory)
		r = tree_masks(g, e->path, &masks, err);
	if (r < 0)
		return r;
	wire_put_u32(&m, GATE_GRANT);
	wire_put_u32(&m, e->id);
	wire_put_u32(&m, e->directory ? GATE_TREE : GATE_FILE);
	wire_put_u32(&m, writable);
	wire_put_u32(&m, (uint32_t)e->limit);
	wire_put_u32(&m, (uint32_t)(e->limit >> 32));
	wire_put_string(&m, e->place);
	wire_put_strv(&m, masks);
	return gate_process_send(g->process, &m, fd, err);
}

int item_ask(struct gate *g, struct item *i, struct error **err)
{
	const struct gate_entry *e = &i->entry;
	int r = 0;

	if (!e->directory)
		r = keeper_add(g->keeper, e->id, &i->given, e->access == GATE_READ_WRITE, err);
	if (r < 0)
		return r;
	r = send_grant(g, i, err);
	if (r >= 0)
		i->state = ITEM_ASKED;
	else if (!e->directory)
		keeper_remove(g->keeper, e->id);
	return r;
}

int item_take(struct gate *g, struct item *i, struct error **err)
{
	_cleanup_buf_ struct buf m = { 0 };
	int r;

	i->unwanted = i->state == ITEM_ASKED;
	if (i->state != ITEM_GIVEN)
		return 0;
	wire_put_u32(&m, GATE_REVOKE);
	wire_put_u32(&m, i->entry.id);
	r = gate_process_send(g->process, &m, -EBADF, err);
	if (r < 0)
		return r;
	i->state = ITEM_TAKING;
	if (!i->entry.directory)
		keeper_remove(g->keeper, i->entry.id);
	return 0;
}

/* Its place is free: the one that waited for it, if any, gets it. */
static void follow(struct gate *g, const struct item *left)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct item *i = g->items;

	while (i && i->after != left)
		i = i->next;
	if (!i)
		return;
	i->after = NULL;
	if (item_ask(g, i, &error) >= 0)
		return;
	item_unlink(g, i);
	say_could_not(g, &i->entry, error->message);
	item_answer(&i->gives, NULL, error);
	item_free(i);
}

/* --- what the gate answers --------------------------------------------------- */

static bool on_granted(struct gate *g, struct item *i, struct wire *w)
{
	_cleanup_(error_freep) struct error *error = NULL;
	bool unwanted = i->unwanted;

	if (!wire_end(w) || i->state != ITEM_ASKED)
		return false;
	i->state = ITEM_GIVEN;
	say_gave(g, &i->entry);
	if (unwanted && item_take(g, i, &error) < 0) {
		gate_process_lose(g->process, error->message);
		return true;
	}
	change(g);
	if (unwanted)
		item_refuse(&i->gives, ECANCELED, "it was taken away at once");
	else
		item_answer(&i->gives, &i->entry, NULL);
	return true;
}

static bool on_refused(struct gate *g, struct item *i, struct wire *w)
{
	_cleanup_free_ char *why = wire_get_string(w), *reason = shown(why);

	if (!wire_end(w) || i->state != ITEM_ASKED)
		return false;
	if (!i->entry.directory)
		keeper_remove(g->keeper, i->entry.id);
	item_unlink(g, i);
	items_list(g);
	say_could_not(g, &i->entry, reason);
	follow(g, i);
	item_refuse(&i->gives, EREMOTEIO, reason);
	item_answer(&i->takes, &i->entry, NULL);
	item_free(i);
	return true;
}

static bool on_revoked(struct gate *g, struct item *i, struct wire *w)
{
	_cleanup_free_ char *path = shown(i->entry.path);

	if (!wire_end(w) || i->state != ITEM_TAKING)
		return false;
	item_unlink(g, i);
	say(g, "took away '%s'", path);
	change(g);
	follow(g, i);
	item_answer(&i->takes, &i->entry, NULL);
	item_free(i);
	return true;
}

static bool on_opened(struct gate *g, struct item *i, struct wire *w)
{
	uint32_t writable = wire_get_u32(w);
	_cleanup_free_ char *beneath = wire_get_string(w), *path = shown(i->entry.path),
			    *rest = shown(beneath);

	if (!wire_end(w))
		return false;
	say(g, "opened '%s%s%s' for %s", path, *rest ? "/" : "", rest,
	    writable ? "writing" : "reading");
	return true;
}

static bool on_heard(void *user, uint32_t type, struct wire *w)
{
	static const struct {
		uint32_t type;
		bool (*answer)(struct gate *g, struct item *i, struct wire *w);
	} rows[] = {
		{ GATE_GRANTED, on_granted },
		{ GATE_REFUSED, on_refused },
		{ GATE_REVOKED, on_revoked },
		{ GATE_OPENED, on_opened },
	};
	struct gate *g = user;
	struct item *i = find_id(g, wire_get_u32(w));

	for (size_t n = 0; n < ARRAY_SIZE(rows) && i; n++)
		if (rows[n].type == type)
			return rows[n].answer(g, i, w);
	return false;
}

static void on_lost(void *user, const char *why)
{
	struct gate *g = user;

	g->events.lost(g->user, why);
}

const struct gate_process_events item_events = { .heard = on_heard, .lost = on_lost };
