#include <string.h>

#include "app/launch-phases.h"
#include "base/strv.h"

/* Who asked for it over the control socket. */
struct asked {
	struct sandbox *sandbox;
	control_done_fn *done;
	void *user;
};

/* The gate of a box that has ended ends too; the box is the reason, and is heard of next. */
static void on_gate_lost(void *user, const char *why)
{
	struct sandbox *s = user;

	if (!s->boxes[BOX_APP] || !box_is_gone(s->boxes[BOX_APP]))
		sandbox_lose(s, why);
}

static void on_gate_said(void *user, const char *line)
{
	struct sandbox *s = user;

	log_line(s->log, "%s", line);
}

/* Before there is a plan there is no state file either. */
static void on_gate_changed(void *user)
{
	_cleanup_(error_freep) struct error *error = NULL;
	struct sandbox *s = user;

	if (s->plan && sandbox_tell(s, s->state, &error) < 0)
		sandbox_lose(s, error->message);
}

int launch_gate(struct sandbox *s, struct error **err)
{
	static const struct gate_events events = {
		.lost = on_gate_lost,
		.said = on_gate_said,
		.changed = on_gate_changed,
	};

	return gate_new(s->loop, s->facts.home, &events, s, &s->gate, err);
}

static void on_done(void *user, const struct gate_entry *entry, const struct error *error)
{
	_cleanup_free_ struct asked *a = user;
	_cleanup_free_ char *inside = NULL;

	if (!error)
		inside = state_path_inside(a->sandbox->plan, entry->place);
	a->done(a->user, inside, error);
}

static struct asked *asked_new(struct sandbox *s, control_done_fn *done, void *user)
{
	struct asked *a = xcalloc(1, sizeof *a);

	*a = (struct asked){ .sandbox = s, .done = done, .user = user };
	return a;
}

/* The client has looked as well, but it is here that it counts. */
static int receive(struct sandbox *s, struct control_share *share, struct given *ret,
		   struct error **err)
{
	struct protection p;
	int r;

	r = protection_gather(s->facts.home, &p, err);
	if (r < 0)
		return r;
	r = given_receive(TAKE_FD(share->parent), TAKE_FD(share->fd), share->name, &p, ret, err);
	protection_release(&p);
	return r;
}

static int check_share(const struct control_share *share, const struct given *g, struct error **err)
{
	if (share->wish.limit != GATE_NO_LIMIT &&
	    (!g->directory || share->wish.access != GATE_READ_WRITE))
		return error_set(err, EINVAL, "only a directory that can be written has a limit");
	if (g->fd < 0 && share->wish.access != GATE_READ_WRITE)
		return error_set(err, EINVAL, "a new file must be writable");
	return 0;
}

/* What was given with at least this access, or NULL. */
static const struct gate_entry *find_given(const struct sandbox *s, const char *path,
					   enum gate_access access)
{
	for (const struct gate_entry *e = gate_entries(s->gate); e->path; e++)
		if (!strcmp(e->path, path) && e->access >= access)
			return e;
	return NULL;
}

int control_share_request(void *user, struct control_share *share, control_done_fn *done,
			  void *done_user, struct error **err)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	_cleanup_free_ struct asked *a = asked_new(user, done, done_user);
	const struct plan_grant *of_profile;
	struct sandbox *s = user;
	int r;

	r = receive(s, share, &g, err);
	if (r >= 0)
		r = check_share(share, &g, err);
	if (r >= 0)
		r = permit_check_given(s->launch->permit, g.path,
				       share->wish.access == GATE_READ_WRITE, true, err);
	if (r >= 0)
		r = given_by_profile(s, g.path, share->wish.access == GATE_READ_WRITE, &of_profile,
				     err);
	if (r >= 0 && share->wish.at_least) {
		const struct gate_entry *has = find_given(s, g.path, share->wish.access);

		if (has) {
			on_done(TAKE_PTR(a), has, NULL);
			return 0;
		}
	}
	if (r >= 0)
		r = gate_give(s->gate, &g, NULL, share->wish.access, share->wish.limit, on_done, a,
			      NULL, err);
	if (r < 0)
		return r;
	(void)TAKE_PTR(a); /* on_done() frees it */
	return 0;
}

/* The path outside of what has this path inside, or NULL. */
static const char *path_outside(const struct sandbox *s, const char *path)
{
	for (const struct gate_entry *e = gate_entries(s->gate); e->path; e++) {
		_cleanup_free_ char *inside = state_path_inside(s->plan, e->place);

		if (!strcmp(inside, path))
			return e->path;
	}
	return NULL;
}

/* Paths outside go first: that is where the user is. If nothing of it was given, what was typed. */
static const char *what_is_meant(const struct sandbox *s, char *const *meanings)
{
	for (char *const *m = meanings; *m; m++)
		if (gate_has(s->gate, *m))
			return *m;
	for (char *const *m = meanings; *m; m++) {
		const char *path = path_outside(s, *m);

		if (path)
			return path;
	}
	return meanings[strv_length(meanings) - 1];
}

int control_unshare_request(void *user, char *const *meanings, control_done_fn *done,
			    void *done_user, struct error **err)
{
	_cleanup_free_ struct asked *a = asked_new(user, done, done_user);
	struct sandbox *s = user;
	int r;

	r = gate_take(s->gate, what_is_meant(s, meanings), on_done, a, err);
	if (r < 0)
		return r;
	(void)TAKE_PTR(a); /* on_done() frees it */
	return 0;
}
