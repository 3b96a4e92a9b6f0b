#include <fcntl.h>

#include "app/fragments.h"
#include "app/launch-phases.h"
#include "base/fs.h"
#include "box/job.h"
#include "emit/lxc.h"
#include "session/filter.h"

/* The want of memory is the cause, whatever was missed first. */
void launch_part_lost(void *user, const char *why)
{
	struct sandbox *s = user;

	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		_cleanup_free_ char *memory = limits_explain(s, k), *both = NULL;

		if (!memory)
			continue;
		both = xasprintf("%s (%s)", memory, why);
		sandbox_lose(s, both);
	}
	sandbox_lose(s, why);
}

/* Early: they load their libraries while this process goes on. */
int launch_monitors(struct sandbox *s, struct error **err)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		int r = 0;

		if (plan_needs_box(s->profile, k))
			r = box_new(k, s->loop, launch_part_lost, s, &s->boxes[k], err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Each box its own descriptor. Those that show windows run what vitrine brings. */
int launch_filters(struct sandbox *s, struct error **err)
{
	const struct filter_places places = FILTER_PLACES(s->facts.home);
	int r;

	r = filter_open(&places, s->profile, &s->filters[BOX_APP], err);
	if (r < 0)
		return error_prefix(err, "profile '%s'", s->plan->profile);
	for (enum box_kind k = BOX_APP + 1; k < BOX_KIND_MAX && r >= 0; k++)
		if (s->plan->has_box[k])
			r = filter_open_default(&places, &s->filters[k], err);
	return r;
}

static int begin_box(struct sandbox *s, enum box_kind kind, struct error **err)
{
	const struct box_plan *box = &s->plan->boxes[kind];
	_cleanup_free_ char *tree = xasprintf(HOLDER_TREES "/%s", s->plan->id),
			    *root = box_root_path(tree, kind);
	_cleanup_free_ char *fragments = NULL, *config = NULL;
	const char *names[LXC_FRAGMENTS_MAX + 1];
	struct lxc_inputs in = { .root = root, .seccomp_profile = LXC_DENY_LIST };
	int r;

	lxc_fragments(kind, s->plan->network, names);
	r = fragments_read(names, &fragments, err);
	if (r < 0)
		return r;
	in.fragments = fragments;
	r = lxc_config_render(box, &in, &config, err);
	if (r < 0)
		return r;

	const struct box_start start = {
		.plan = box,
		.config = config,
		.label = s->labels[kind].label,
		.policy = s->labels[kind].policy,
		.policy_size = s->labels[kind].policy_size,
		.filter = s->filters[kind],
		.holder = &s->holder,
		.lock = s->lock,
		.gate = kind == BOX_APP ? gate_inbox(s->gate) : -EBADF,
		.sandbox_id = s->plan->id,
	};

	return box_begin(s->boxes[kind], &start, err);
}

/* All at once: each waits mostly for the kernel. */
int launch_boxes(struct sandbox *s, struct error **err)
{
	const struct box_plan *app = &s->plan->boxes[BOX_APP];
	int r;

	/* All that was named is open by now. What lies there can be unmounted again. */
	if (chdir("/") < 0)
		return error_errno(err, "cannot leave the working directory");
	r = limits_begin(s, err);
	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		if (s->boxes[k])
			r = begin_box(s, k, err);
	if (r >= 0)
		r = gate_serve(s->gate, app->user, app->user, err);
	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		if (s->boxes[k])
			r = box_await(s->boxes[k], &s->plan->boxes[k], err);
	return r < 0 ? r : limits_check(s, err);
}

int launch_network(struct sandbox *s, struct error **err)
{
	if (s->plan->network != NETWORK_PRIVATE)
		return 0;
	return net_start(s->boxes[BOX_APP], s->loop, launch_part_lost, s, &s->net, err);
}

static void on_blocked(void *user, const struct bus_blocked *b)
{
	struct sandbox *s = user;
	const struct launch_watch *watch = s->launch->watch;
	_cleanup_free_ char *text = NULL;

	if (!bus_denials_add(s->bus_denials, b))
		return;
	text = bus_denial_describe(b, s->profile);
	log_line(s->log, "the application %s", text);
	if (watch && watch->bus)
		watch->bus(watch->user, s->profile, b);
}

static int launch_desktop_bus(struct sandbox *s, struct error **err)
{
	static const struct desktop_bus_events events = {
		.lost = launch_part_lost,
		.blocked = on_blocked,
	};
	_cleanup_close_ int dir = -EBADF;
	int r = fs_open_dir(s->shared, "bus", &dir, err);

	if (r < 0)
		return r;
	s->bus_denials = bus_denials_new(s->dir.fd, s->profile);
	return desktop_bus_start(&s->plan->desktop_bus, dir, s->loop, &events, s, &s->desktop_bus,
				 err);
}

int launch_bus(struct sandbox *s, struct error **err)
{
	if (s->plan->desktop_bus.address)
		return launch_desktop_bus(s, err);
	if (!s->plan->bus)
		return 0;
	return bus_start(s->boxes[BOX_APP], s->plan, s->loop, launch_part_lost, s, &s->bus, err);
}

int launch_sound(struct sandbox *s, struct error **err)
{
	_cleanup_close_ int dir = -EBADF;
	int r;

	if (!s->plan->playback)
		return 0;
	r = fs_open_dir(s->shared, "sound", &dir, err);
	if (r < 0)
		return r;
	r = sound_start(s->boxes[BOX_APP], s->plan, dir, s->plan->label, s->loop, launch_part_lost,
			s, &s->sound, err);
	return r < 0 ? error_prefix(err, "sound") : 0;
}

static void on_viewer_lost(void *user, const char *why)
{
	struct sandbox *s = user;
	_cleanup_(error_freep) struct error *ignored = NULL;

	if (s->plan->viewer_lost == VIEWER_LOST_END) {
		sandbox_lose(s, why);
		return;
	}
	log_line(s->log, "%s; 'vitrine attach %s' brings the windows back", why, s->plan->id);
	(void)sandbox_tell(s, STATE_DETACHED, &ignored);
}

static const struct display_events display_events = { .lost = launch_display_lost,
						      .viewer_lost = on_viewer_lost };

int launch_display(struct sandbox *s, struct error **err)
{
	int r = display_start(s->plan, s->boxes[BOX_DISPLAY], s->boxes[BOX_VIEWER], s->shared,
			      s->loop, &display_events, s, &s->display, err);

	return r < 0 ? error_prefix(err, "display") : 0;
}
