#include "plan/plan.h"

#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "plan/plan-apparmor.h"
#include "plan/plan-boxes.h"
#include "plan/plan-bus.h"
#include "plan/plan-check.h"
#include "profile/specifier.h"

const char *const box_kind_names[BOX_KIND_MAX + 1] = {
	[BOX_APP] = "app",
	[BOX_DISPLAY] = "display",
	[BOX_VIEWER] = "viewer",
};

const char *box_kind_to_string(enum box_kind kind)
{
	return box_kind_names[kind];
}

bool plan_needs_box(const struct profile *p, enum box_kind kind)
{
	bool xpra = p->display == DISPLAY_XPRA, xephyr = p->display == DISPLAY_XEPHYR;
	const bool needs[] = {
		[BOX_APP] = true,
		[BOX_DISPLAY] = xpra,
		[BOX_VIEWER] = xephyr || (xpra && p->viewer == VIEWER_BOX),
	};

	return needs[kind];
}

const char *plan_image(const struct profile *p, enum box_kind kind)
{
	return kind == BOX_APP ? p->image : DISPLAY_IMAGE;
}

bool plan_keeps_files(const struct profile *p)
{
	return p->home == HOME_KEPT || p->kept;
}

/* '/' and '%' are written as in a URL; what is beneath another path needs no directory in its. */
char *plan_kept_name(const char *path)
{
	struct buf out = { 0 };

	for (; *path; path++)
		if (*path == '/' || *path == '%')
			buf_addf(&out, "%%%02x", (unsigned)*path);
		else
			buf_add(&out, path, 1);
	return buf_take(&out);
}

char *plan_kept_path(const char *name)
{
	struct buf out = { 0 };

	while (*name) {
		bool slash = !strncmp(name, "%2f", 3), percent = !strncmp(name, "%25", 3);

		buf_add(&out, slash ? "/" : percent ? "%" : name, 1);
		name += slash || percent ? 3 : 1;
	}
	return buf_take(&out);
}

/* What is executed, as the box sees it; a program of the host lies in a directory of its own. */
static void set_command(struct plan *plan, const struct profile *p, const struct run_request *q,
			const struct specifiers *values)
{
	const char *slash = q->program ? strrchr(q->program, '/') : NULL;

	if (slash) {
		plan->program = xstrdup(q->program);
		strv_addf(&plan->command, "%s/%s", BOX_PROGRAM_DIR, slash + 1);
	} else {
		strv_add(&plan->command, q->program ? q->program : p->command);
	}
	for (char **word = q->program ? NULL : p->arguments; word && *word; word++)
		strv_take(&plan->command, specifiers_expand(*word, values));
	strv_add_all(&plan->command, q->arguments);
}

static struct plan *new_plan(const struct profile *p, const struct run_request *q,
			     const struct host_facts *host, const struct plan_inputs *in)
{
	const struct specifiers values = { host->home, host->user, in->id };
	struct plan *plan = xcalloc(1, sizeof *plan);

	*plan = (struct plan){
		.id = xstrdup(in->id),
		.profile = xstrdup(p->name),
		.image = xstrdup(p->image),
		.label = xstrdup(p->title ? p->title : p->name),
		.display = p->display,
		.viewer = p->viewer,
		.clipboard = p->clipboard,
		.border = xstrdup(p->border),
		.screen = xstrdup(p->screen),
		.playback = p->playback,
		.bus = p->single_instance,
		.uid_mode = p->uid_mode,
		.home = p->home,
		.kept_dir = plan_keeps_files(p) ? xstrdup(in->kept_dir) : NULL,
		.network = p->network,
		.disk = p->disk,
		.inodes = p->inodes,
		.viewer_lost = p->viewer_lost,
		.lifetime = p->lifetime,
		.display_number = in->display_number,
	};
	set_command(plan, p, q, &values);
	plan_bus(plan, p, host);
	return plan;
}

static int check_all(const struct profile *p, const struct run_request *q,
		     const struct host_facts *host, const struct plan_inputs *in,
		     struct error **err)
{
	int r;

	r = check_host(host, err);
	if (r < 0)
		return r;
	r = check_inputs(in, err);
	if (r < 0)
		return r;
	r = check_grants(in, host->home, err);
	if (r >= 0)
		r = check_home(p, host, in, err);
	if (r < 0)
		return r;
	r = q->program ? plan_check_program(q->program, err) : 0;
	if (r >= 0)
		r = check_bus(p, host, err);
	if (r < 0)
		return r;
	if (p->display == DISPLAY_XEPHYR && p->viewer == VIEWER_HOST)
		return error_set(err, EINVAL, "profile '%s': Backend=xephyr needs Viewer=box",
				 p->name);
	if (p->display == DISPLAY_XPRA && p->viewer == VIEWER_HOST && !host->xpra)
		return error_set(err, ENOENT,
				 "profile '%s' has Viewer=host, and this host has no xpra (Debian "
				 "13 packages none): take that line out, and the viewer of the "
				 "image '" DISPLAY_IMAGE "' is used",
				 p->name);
	r = plan_needs_box(p, BOX_VIEWER) ? check_desktop(host, in->display_number, err) : 0;
	for (enum box_kind k = 0; r >= 0 && k < BOX_KIND_MAX; k++)
		r = plan_needs_box(p, k) ? check_box_inputs(in, k, err) : 0;
	return r;
}

int plan_make(const struct profile *p, const struct run_request *q, const struct host_facts *host,
	      const struct plan_inputs *in, struct plan **ret, struct error **err)
{
	_cleanup_(plan_freep) struct plan *plan = NULL;
	int r;

	r = check_all(p, q, host, in, err);
	if (r < 0)
		return r;
	plan = new_plan(p, q, host, in);
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++)
		if (plan_needs_box(p, k))
			plan_box(plan, k, p, host, in);
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++)
		plan_namespaces(&plan->boxes[k], p);
	r = plan_apparmor(plan, p, host, err);
	if (r < 0)
		return r;
	r = plan_limits(plan, p, host, err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(plan);
	return 0;
}

void box_plan_release(struct box_plan *b)
{
	for (size_t i = 0; i < b->n_mounts; i++) {
		free(b->mounts[i].name);
		free(b->mounts[i].target);
	}
	for (size_t i = 0; i < b->n_files; i++) {
		free(b->files[i].path);
		free(b->files[i].content);
	}
	free(b->mounts);
	free(b->files);
	free(b->host_name);
	strv_free(b->image_layers);
	free(b->home);
	strv_free(b->environment);
	*b = (struct box_plan){ 0 };
}

struct plan *plan_free(struct plan *p)
{
	if (!p)
		return NULL;
	for (size_t k = 0; k < BOX_KIND_MAX; k++)
		box_plan_release(&p->boxes[k]);
	free(p->id);
	free(p->profile);
	free(p->image);
	free(p->label);
	free(p->kept_dir);
	strv_free(p->command);
	plan_bus_release(&p->desktop_bus);
	strv_free(p->notes);
	free(p->program);
	free(p->border);
	free(p->screen);
	free(p);
	return NULL;
}
