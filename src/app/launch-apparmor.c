#include "app/launch-phases.h"
#include "box/label.h"
#include "session/addition.h"

/* The floor, and on it a profile of this very box, as far as this host lets the user have one. */
static int make_label(struct sandbox *s, enum box_kind kind, struct error **err)
{
	_cleanup_(apparmor_profile_release) struct apparmor_profile own = { 0 };
	const struct box_plan *box = &s->plan->boxes[kind];
	struct box_label *l = &s->labels[kind];

	if (!box->floor)
		return 0;
	if (!box->own_profile) {
		l->label = xstrdup(box->floor);
		return 0;
	}
	apparmor_render(box, &own);
	l->label = label_stack(box->floor, s->facts.host.uid, own.name);
	return addition_compile(s->facts.home, &own, &l->policy, &l->policy_size, err);
}

int launch_apparmor(struct sandbox *s, struct error **err)
{
	int r = 0;

	for (enum box_kind k = 0; k < BOX_KIND_MAX && r >= 0; k++)
		if (s->plan->has_box[k])
			r = make_label(s, k, err);
	return r;
}
