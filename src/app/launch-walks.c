#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "app/launch-phases.h"
#include "app/places.h"
#include "base/strv.h"
#include "base/text.h"

#define SHOWN_MAX 200

static struct walker_fds walk_fds(const struct sandbox *s, int out)
{
	return (struct walker_fds){
		.user_ns = s->holder.user_ns,
		.old = s->snapshot,
		.bases = { [PLACES_TREE] = s->holder.tree, [PLACES_KEPT] = s->home.dir },
		.out = out,
	};
}

/* --- how it was at the start ------------------------------------------------- */

static void on_snapshot(void *user, const char *left_out, const struct error *error)
{
	struct sandbox *s = user;

	(void)left_out;
	s->snapshot_done = true;
	if (error)
		s->snapshot_error = xstrdup(error->message);
}

/* After the trees were made and before anything but the inits runs in the boxes. */
int launch_snapshot(struct sandbox *s, struct error **err)
{
	_cleanup_(walk_order_release) struct walk_order o = { .verb = WALK_SNAPSHOT };
	struct walker_fds fds;
	struct timespec now;

	s->prepared = close_fd(s->prepared); /* it was copied */
	if (clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0)
		return error_errno(err, "cannot read the clock");
	s->since_s = now.tv_sec;
	s->since_ns = (uint32_t)now.tv_nsec;
	s->snapshot_done = places_begin_empty(s->plan);
	if (s->snapshot_done)
		return 0;
	s->snapshot = memfd_create("snapshot", MFD_CLOEXEC);
	if (s->snapshot < 0)
		return error_errno(err, "cannot make a memory file");
	places_add(&o, s->plan, false);
	fds = walk_fds(s, s->snapshot);
	fds.old = -EBADF;
	return walker_start(&o, &fds, s->loop, on_snapshot, s, &s->snapshot_walk, err);
}

/* Before the application can change something. */
int launch_snapshot_await(struct sandbox *s, struct error **err)
{
	int r = loop_run(s->loop, &s->snapshot_done, -1, err);

	s->snapshot_walk = walker_end(s->snapshot_walk);
	if (r >= 0 && s->snapshot_error)
		return error_set(err, EIO, "files that are kept: %s", s->snapshot_error);
	return r < 0 ? r : 0;
}

/* --- what others want to see of it ------------------------------------------- */

struct asked {
	struct sandbox *sandbox;
	size_t slot;
	control_done_fn *done;
	void *user;
};

static void on_walked(void *user, const char *left_out, const struct error *error)
{
	_cleanup_free_ struct asked *a = user;

	a->done(a->user, left_out, error);
	/* Whoever ends it frees it by himself. */
	if (!error || error->code != ESHUTDOWN)
		a->sandbox->walks[a->slot] = walker_end(a->sandbox->walks[a->slot]);
}

static int add_items(struct walk_order *o, const struct control_walk *walk, struct error **err)
{
	for (size_t i = 0; walk->paths[i]; i++) {
		_cleanup_free_ char *shown = text_escape(walk->paths[i], SHOWN_MAX);
		const char *rest;
		int root;

		if (i >= WALK_ROOTS_MAX)
			return error_set(err, E2BIG, "more than %u paths", WALK_ROOTS_MAX);
		if (strcmp(walk->paths[i], "/") && !path_is_shortest(walk->paths[i]))
			return error_set(err, EINVAL, "'%s' is not an absolute path", shown);
		root = walk_order_find(o, walk->paths[i], &rest);
		if (root < 0)
			return error_set(
				err, EINVAL,
				"'%s' is not where the application can write files of its own",
				shown);
		if (!*rest && !*walk->names[i])
			return error_set(err, EINVAL, "'%s' needs a name", shown);
		walk_order_add_item(o, (uint32_t)root, rest, walk->names[i]);
	}
	return 0;
}

static int make_order(const struct sandbox *s, const struct control_walk *walk,
		      struct walk_order *o, struct error **err)
{
	*o = (struct walk_order){
		.verb = walk->paths ? WALK_ARCHIVE : WALK_CHANGES,
		.since_s = s->since_s,
		.since_ns = s->since_ns,
		.links = walk->links,
		.bytes_max = walk->bytes_max,
	};
	places_add(o, s->plan, walk->paths || walk->temporary);
	return walk->paths ? add_items(o, walk, err) : 0;
}

int control_walk_request(void *user, const struct control_walk *walk, control_done_fn *done,
			 void *done_user, struct error **err)
{
	_cleanup_(walk_order_release) struct walk_order o = { 0 };
	_cleanup_free_ struct asked *a = xmalloc(sizeof *a);
	struct sandbox *s = user;
	struct walker_fds fds = walk_fds(s, walk->out);
	size_t slot = 0;
	int r;

	while (slot < SANDBOX_WALKS_MAX && s->walks[slot])
		slot++;
	if (slot == SANDBOX_WALKS_MAX)
		return error_set(err, EBUSY,
				 "too many commands look at the files of this sandbox: try again");
	*a = (struct asked){ .sandbox = s, .slot = slot, .done = done, .user = done_user };
	r = make_order(s, walk, &o, err);
	if (r >= 0)
		r = walker_start(&o, &fds, s->loop, on_walked, a, &s->walks[slot], err);
	if (r < 0)
		return r;
	(void)TAKE_PTR(a); /* on_walked() frees it */
	return 0;
}

void walks_end(struct sandbox *s)
{
	for (size_t i = 0; i < SANDBOX_WALKS_MAX; i++)
		s->walks[i] = walker_end(s->walks[i]);
	s->snapshot_walk = walker_end(s->snapshot_walk);
	s->snapshot = close_fd(s->snapshot);
	free(s->snapshot_error);
	s->snapshot_error = NULL;
}
