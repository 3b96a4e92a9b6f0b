#include "app/show.h"

#include <fcntl.h>
#include <string.h>

#include "app/fragments.h"
#include "app/view-plan.h"
#include "base/buf.h"
#include "base/fs.h"
#include "base/strv.h"
#include "base/text.h"
#include "emit/apparmor.h"
#include "emit/bus.h"
#include "emit/lxc.h"
#include "session/filter.h"
#include "session/net.h"
#include "view/profile-text.h"

const char *const show_format_names[SHOW_FORMAT_MAX + 1] = {
	[SHOW_PROFILE] = "profile", [SHOW_PLAN] = "plan",	  [SHOW_LXC] = "lxc",
	[SHOW_SECCOMP] = "seccomp", [SHOW_APPARMOR] = "apparmor", [SHOW_BUS] = "bus",
	[SHOW_NETWORK] = "network", [SHOW_ENV] = "env",
};

struct shown {
	const struct show *show;
	const struct profile *profile;
	const struct plan *plan;
	struct buf text;
};

static const struct box_plan *box_of(const struct shown *s)
{
	return &s->plan->boxes[s->show->box];
}

static int add_plan(struct shown *s, struct error **err)
{
	_cleanup_free_ char *text = plan_to_text(s->plan);

	(void)err;
	buf_adds(&s->text, text);
	return 0;
}

static int add_lxc(struct shown *s, struct error **err)
{
	const struct box_plan *b = box_of(s);
	_cleanup_free_ char *root = xasprintf("/run/vitrine/%s/%s/root", s->plan->id,
					      box_kind_to_string(b->kind));
	_cleanup_free_ char *fragments = NULL, *config = NULL;
	const char *names[LXC_FRAGMENTS_MAX + 1];
	struct lxc_inputs in = { .root = root, .seccomp_profile = LXC_DENY_LIST };
	int r;

	lxc_fragments(b->kind, s->plan->network, names);
	r = fragments_read(names, &fragments, err);
	if (r < 0)
		return r;
	in.fragments = fragments;
	r = lxc_config_render(b, &in, &config, err);
	if (r < 0)
		return r;
	buf_adds(&s->text, config);
	return 0;
}

static int add_seccomp(struct shown *s, struct error **err)
{
	const struct filter_places places = FILTER_PLACES(NULL);
	_cleanup_free_ char *policy = NULL;
	int r = filter_text(&places, s->profile, &policy, err);

	if (r >= 0)
		buf_adds(&s->text, policy);
	return r;
}

static int add_apparmor(struct shown *s, struct error **err)
{
	const struct box_plan *b = box_of(s);
	struct apparmor_profile own = { 0 };

	(void)err;
	if (b->floor)
		buf_addf(&s->text, "# the box runs under %s%s\n", b->floor,
			 b->own_profile ? ", and under this on top of it"
					: " alone; it could also have");
	else
		buf_adds(&s->text,
			 "# this kernel has no AppArmor; where there is one, the box has\n");
	apparmor_render(b, &own);
	buf_adds(&s->text, own.text);
	apparmor_profile_release(&own);
	return 0;
}

static int add_bus(struct shown *s, struct error **err)
{
	_cleanup_strv_ char **rules = bus_rules_render(&s->plan->desktop_bus);

	(void)err;
	if (!s->plan->desktop_bus.address)
		buf_adds(&s->text, s->plan->bus
					   ? "# no D-Bus of the desktop; a session bus of its own\n"
					   : "# no D-Bus of the desktop\n");
	else
		for (char **rule = rules; *rule; rule++)
			buf_addf(&s->text, "%s\n", *rule);
	return 0;
}

static int add_network(struct shown *s, struct error **err)
{
	_cleanup_strv_ char **command = net_command("PID");
	_cleanup_free_ char *line = strv_join(command, " ");

	(void)err;
	if (s->plan->network == NETWORK_NONE)
		buf_adds(&s->text, "# no network: a loopback device of its own, and no other\n");
	else
		buf_addf(&s->text, "# PID: the init of the box\n%s\n", line);
	return 0;
}

static int add_env(struct shown *s, struct error **err)
{
	char *const *setting = box_of(s)->environment;

	(void)err;
	for (; setting && *setting; setting++) {
		_cleanup_free_ char *line = text_escape(*setting, strlen(*setting));

		buf_addf(&s->text, "%s\n", line);
	}
	return 0;
}

typedef int add_fn(struct shown *s, struct error **err);

static const struct {
	add_fn *add;
	bool of_box;
} formats[SHOW_FORMAT_MAX] = {
	[SHOW_PLAN] = { add_plan, false },	 [SHOW_LXC] = { add_lxc, true },
	[SHOW_SECCOMP] = { add_seccomp, false }, [SHOW_APPARMOR] = { add_apparmor, true },
	[SHOW_BUS] = { add_bus, false },	 [SHOW_NETWORK] = { add_network, false },
	[SHOW_ENV] = { add_env, true },
};

static int render(struct shown *s, struct error **err)
{
	if (formats[s->show->format].of_box && !s->plan->has_box[s->show->box])
		return error_set(err, ENOENT, "profile '%s' needs no %s box", s->profile->name,
				 box_kind_to_string(s->show->box));
	return formats[s->show->format].add(s, err);
}

int show_render(const struct show *show, const struct profile *p, const struct facts *facts,
		char **ret, char ***ret_notes, struct error **err)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_strv_ char **notes = NULL;
	struct shown s = { .show = show, .profile = p };
	_cleanup_buf_ struct buf safe = { 0 };
	_cleanup_free_ char *text = NULL;
	int r;

	if (show->format == SHOW_PROFILE) {
		*ret = profile_text(p, show->origins);
		*ret_notes = NULL;
		return 0;
	}
	r = view_plan_make(p, facts, &plan, &notes, err);
	if (r < 0)
		return r;
	s.plan = plan;
	r = render(&s, err);
	text = buf_take(&s.text);
	if (r < 0)
		return r;
	(void)text_escape_lines(&safe, text, strlen(text));
	*ret = buf_take(&safe);
	*ret_notes = TAKE_PTR(notes);
	return 0;
}
