/* render PROFILE HOST FRAGMENTS WHAT: what a profile becomes for the sample user on one of the
 * hosts below: the plan (WHAT is "plan"), the LXC configuration of a box (its name), the app box's
 * own AppArmor profile ("apparmor"), or "all", without comments. A refusal is a result of "all",
 * too. */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/fs.h"
#include "emit/apparmor.h"
#include "tests/unit/sample.h"
#include "view/explain.h"

/* --- hosts ------------------------------------------------------------------- */

static void be_usual(struct host_facts *host)
{
	(void)host;
}

static void lack_apparmor(struct host_facts *host)
{
	host->apparmor = host->own_profiles = false;
	memset(host->floors, 0, sizeof host->floors);
}

static void lack_own_profiles(struct host_facts *host)
{
	host->own_profiles = false;
}

static void lack_cgroup(struct host_facts *host)
{
	host->cgroup_way = CGROUP_NONE;
	host->controllers = 0;
}

static void lack_xpra(struct host_facts *host)
{
	host->xpra = false;
}

static void lack_desktop(struct host_facts *host)
{
	host->desktop_socket = NULL;
}

static void be_other_user(struct host_facts *host)
{
	host->uid = 4711;
	host->gid = 815;
	host->user = "bob.b";
	host->home = "/srv/people/bob";
}

static void be_small(struct host_facts *host)
{
	host->memory = UINT64_C(1) << 30;
	host->open_files = 512;
}

static void lack_zone(struct host_facts *host)
{
	host->time_zone = host->locale = NULL;
}

static void have_name(struct host_facts *host)
{
	host->host_name = "desk";
}

static const struct {
	const char *name;
	void (*change)(struct host_facts *host);
} hosts[] = {
	/* clang-format off */
	{ "usual", be_usual },
	{ "no-apparmor", lack_apparmor },
	{ "no-own-profiles", lack_own_profiles },
	{ "no-cgroup", lack_cgroup },
	{ "no-xpra", lack_xpra },
	{ "no-desktop", lack_desktop },
	{ "other-user", be_other_user },
	{ "small", be_small },
	{ "no-zone", lack_zone },
	{ "named", have_name },
	/* clang-format on */
};

static int find_host(const char *name, struct host_facts *ret, struct error **err)
{
	*ret = sample_host;
	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++)
		if (!strcmp(hosts[i].name, name)) {
			hosts[i].change(ret);
			return 0;
		}
	return error_set(err, EINVAL, "no host '%s'", name);
}

/* --- what is made ------------------------------------------------------------ */

struct made {
	struct profile *profile;
	struct plan *plan;
	const char *fragments;
};

static void made_release(struct made *m)
{
	profile_free(m->profile);
	plan_free(m->plan);
}

static char *apparmor_of(const struct box_plan *b)
{
	struct apparmor_profile own = { 0 };
	char *text;

	apparmor_render(b, &own);
	text = TAKE_PTR(own.text);
	apparmor_profile_release(&own);
	return text;
}

static void add_part(struct buf *out, const char *title, const char *text)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *rest = copy, *line;

	buf_addf(out, "== %s\n", title);
	while ((line = strsep(&rest, "\n")))
		if (*line && *line != '#')
			buf_addf(out, "%s\n", line);
}

static int add_boxes(struct buf *out, const struct made *m, struct error **err)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		_cleanup_free_ char *config = NULL, *apparmor = NULL;
		int r;

		if (!m->plan->has_box[k])
			continue;
		r = sample_config(m->plan, k, m->fragments, &config, err);
		if (r < 0)
			return r;
		apparmor = apparmor_of(&m->plan->boxes[k]);
		add_part(out, box_kind_to_string(k), config);
		add_part(out, "apparmor", apparmor);
	}
	return 0;
}

static int render_all(const struct made *m, char **ret, struct error **err)
{
	const struct view v = { m->profile, m->plan };
	_cleanup_free_ char *plan = plan_to_text(m->plan), *explained = explain_text(&v),
			    *audited = audit_text(&v, true);
	_cleanup_buf_ struct buf out = { 0 };
	int r;

	add_part(&out, "plan", plan);
	r = add_boxes(&out, m, err);
	if (r < 0)
		return r;
	add_part(&out, "explain", explained);
	add_part(&out, "audit", audited);
	*ret = buf_take(&out);
	return 0;
}

static int render(const struct made *m, const char *what, char **ret, struct error **err)
{
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++)
		if (m->plan->has_box[k] && !strcmp(what, box_kind_to_string(k)))
			return sample_config(m->plan, k, m->fragments, ret, err);
	if (!strcmp(what, "all"))
		return render_all(m, ret, err);
	if (!strcmp(what, "apparmor"))
		*ret = apparmor_of(&m->plan->boxes[BOX_APP]);
	else if (!strcmp(what, "plan"))
		*ret = plan_to_text(m->plan);
	else
		return error_set(err, EINVAL, "no '%s' in this plan", what);
	return 0;
}

static int make(const char *path, const struct host_facts *host, struct made *m, struct error **err)
{
	const char *slash = strrchr(path, '/'), *file = slash ? slash + 1 : path;
	_cleanup_free_ char *text = NULL, *name = xstrndup(file, strcspn(file, "."));
	bool grants;
	int r;

	r = fs_read(AT_FDCWD, path, 65536, &text, NULL, err);
	if (r >= 0)
		r = profile_read(text, strlen(text), name, name, &m->profile, err);
	if (r < 0)
		return r;
	grants = m->profile->read_only;
	return plan_make(m->profile, &as_profile, host,
			 grants ? &sample_inputs_with_grants : &sample_inputs, &m->plan, err);
}

static int run(char **argv, struct error **err)
{
	_cleanup_(made_release) struct made m = { .fragments = argv[3] };
	_cleanup_free_ char *text = NULL;
	struct host_facts host;
	int r;

	r = find_host(argv[2], &host, err);
	if (r < 0)
		return r;
	r = make(argv[1], &host, &m, err);
	if (r < 0 && m.profile && !strcmp(argv[4], "all")) {
		printf("refused: %s\n", (*err)->message);
		*err = error_free(*err);
		return 0;
	}
	if (r >= 0)
		r = render(&m, argv[4], &text, err);
	if (r < 0)
		return r;
	fputs(text, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	_cleanup_(error_freep) struct error *error = NULL;

	if (argc != 5)
		return 2;
	if (run(argv, &error) < 0) {
		fprintf(stderr, "render: %s\n", error->message);
		return 1;
	}
	return 0;
}
