#include "app/view-plan.h"

#include <string.h>

#include "app/user-dirs.h"
#include "base/strv.h"
#include "base/text.h"
#include "image/store.h"
#include "plan/plan-bus.h"
#include "session/given.h"
#include "session/x11-auth.h"

#define SAMPLE_DISPLAY 10U
#define SAMPLE_BUS     "unix:path=/run/user/1000/bus"
#define SAMPLE_SOCKET  "/tmp/.X11-unix/X0"
#define SAMPLE_IMAGES  "/images"

/* All that the inputs of a plan point to. */
struct samples {
	struct host_facts host;
	struct plan_inputs in;
	char *id, *kept_dir, *prepared_dir;
	struct x11_desktop desktop;
	struct image images[BOX_KIND_MAX];
	char **layers[BOX_KIND_MAX];
	struct plan_grant *grants;
	size_t n_grants;
	char **notes;
};

static void samples_release(struct samples *s)
{
	for (size_t i = 0; i < s->n_grants; i++) {
		free(s->grants[i].source);
		free(s->grants[i].place);
		free(s->grants[i].target);
	}
	for (size_t k = 0; k < BOX_KIND_MAX; k++) {
		image_release(&s->images[k]);
		strv_free(s->layers[k]);
	}
	x11_desktop_release(&s->desktop);
	free(s->grants);
	free(s->id);
	free(s->kept_dir);
	free(s->prepared_dir);
	strv_free(s->notes);
}

static const struct run_request as_profile = { .arguments = NULL };

/* What each run has of its own. */
static void draw(struct samples *s, const struct profile *p, const struct facts *facts)
{
	*s = (struct samples){
		.host = facts->host,
		.id = xasprintf("%s-0000", p->name),
		.kept_dir = xasprintf("%s/.local/share/vitrine/homes/%s", facts->home, p->name),
		.prepared_dir = xasprintf("%s/.local/share/vitrine/prepared/%s/current",
					  facts->home, p->name),
		.images = { IMAGE_NONE, IMAGE_NONE, IMAGE_NONE },
	};
	s->in = (struct plan_inputs){
		.id = s->id,
		.display_number = SAMPLE_DISPLAY,
		.kept_dir = s->kept_dir,
		.prepared_dir = p->home == HOME_PREPARED ? s->prepared_dir : NULL,
	};
	for (uint32_t k = 0; k < BOX_KIND_MAX; k++) {
		s->in.slices[k] = (struct slice){ k, SLICE_FIRST + k * SLICE_IDS };
		strv_addf(&s->layers[k], SAMPLE_IMAGES "/%s", plan_image(p, k));
		s->in.image_layers[k] = s->layers[k];
	}
}

static void use_sample_desktop(struct samples *s)
{
	s->host.desktop_socket = SAMPLE_SOCKET;
	s->host.desktop_display = 0;
}

static void find_bus(struct samples *s, const struct profile *p)
{
	if (s->host.desktop_bus || !profile_uses_bus(p))
		return;
	s->host.desktop_bus = SAMPLE_BUS;
	strv_add(&s->notes, "there is no D-Bus here: its address is a sample");
}

static void find_desktop(struct samples *s, const struct facts *facts)
{
	_cleanup_(error_freep) struct error *ignored = NULL;

	if (x11_desktop_find(getenv("DISPLAY"), getenv("XAUTHORITY"), facts->home, &s->desktop,
			     &ignored) < 0) {
		use_sample_desktop(s);
		strv_add(&s->notes, "there is no desktop here: its socket is a sample");
		return;
	}
	s->host.desktop_socket = s->desktop.socket;
	s->host.desktop_display = s->desktop.number;
	if (s->desktop.number == SAMPLE_DISPLAY)
		s->in.display_number = SAMPLE_DISPLAY + 1;
}

static void find_images(struct samples *s, const struct profile *p, const struct facts *facts)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		_cleanup_(error_freep) struct error *ignored = NULL;

		if (!plan_needs_box(p, k))
			continue;
		if (image_open(facts->home, plan_image(p, k), &s->images[k], &ignored) < 0)
			strv_addf(&s->notes,
				  "there is no image '%s' here: the path of its layer is a sample",
				  plan_image(p, k));
		else
			s->in.image_layers[k] = s->images[k].roots;
	}
}

static int find_grant(struct samples *s, const struct protection *protection, const char *target,
		      bool writable, const struct profile *p, struct error **err)
{
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	int r;

	r = given_open(target, false, protection, &g, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		strv_addf(&s->notes, "'%s' is not there, and so not given", target);
		return 0;
	}
	if (r < 0)
		return r;
	s->grants = xreallocarray(s->grants, s->n_grants + 1, sizeof *s->grants);
	s->grants[s->n_grants] = (struct plan_grant){
		.source = xstrdup(g.path),
		.place = p->uid_mode == UID_USER ? NULL
			 : g.directory		 ? xasprintf("trees/%zu", s->n_grants)
						 : xasprintf("files/%s", g.name),
		.target = xstrdup(target),
		.writable = writable,
		.directory = g.directory,
	};
	s->n_grants++;
	return 0;
}

static int find_grants(struct samples *s, const struct profile *p, const struct facts *facts,
		       struct error **err)
{
	const struct {
		char *const *paths;
		bool writable;
	} lists[] = { { p->read_only, false }, { p->read_write, true } };
	_cleanup_(protection_release) struct protection protection = { 0 };
	_cleanup_(user_dirs_release) struct user_dirs dirs = { 0 };
	int r;

	if (!p->read_only && !p->read_write)
		return 0;
	r = protection_gather(facts->home, &protection, err);
	if (r >= 0)
		r = user_dirs_read(facts->home, &dirs, err);
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (char *const *path = lists[i].paths; r >= 0 && path && *path; path++) {
			_cleanup_free_ char *target = host_path_expand(*path, facts->home,
								       dirs.paths);

			r = find_grant(s, &protection, target, lists[i].writable, p, err);
		}
	s->in.grants = s->grants;
	s->in.n_grants = s->n_grants;
	return r;
}

int view_plan_make(const struct profile *p, const struct facts *facts, struct plan **ret,
		   char ***ret_notes, struct error **err)
{
	_cleanup_(samples_release) struct samples s;
	int r;

	draw(&s, p, facts);
	strv_add(&s.notes, "the id, the numbers of the boxes' ids and the machine-id are samples: "
			   "each run draws its own");
	if (p->display != DISPLAY_NONE)
		find_desktop(&s, facts);
	find_bus(&s, p);
	find_images(&s, p, facts);
	r = find_grants(&s, p, facts, err);
	if (r < 0)
		return error_prefix(err, "profile '%s'", p->name);
	r = plan_make(p, &as_profile, &s.host, &s.in, ret, err);
	if (r < 0)
		return r;
	*ret_notes = TAKE_PTR(s.notes);
	return 0;
}

int view_rights_make(const struct profile *p, const struct facts *facts, struct plan **ret,
		     struct error **err)
{
	_cleanup_(samples_release) struct samples s;

	draw(&s, p, facts);
	use_sample_desktop(&s);
	s.host.xpra = true;
	/* Where it is missing, such a profile does not start at all. */
	if (p->apparmor_required)
		s.host.apparmor = true;
	for (enum apparmor_floor f = 0; f < FLOOR_MAX; f++)
		s.host.floors[f] = true;
	if (p->limits_required) {
		s.host.cgroup_way = CGROUP_SYSTEMD;
		s.host.controllers = LIMITS_ALL;
	}
	return plan_make(p, &as_profile, &s.host, &s.in, ret, err);
}
