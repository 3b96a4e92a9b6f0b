#include "plan/plan.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"

static const char *yes_no(bool b)
{
	return b ? "yes" : "no";
}

/* One line: `name: value`, with the value escaped. */
static void add_line(struct buf *out, const char *name, const char *value)
{
	_cleanup_free_ char *shown = text_escape(value, strlen(value));

	buf_addf(out, "%s: %s\n", name, shown);
}

static void add_vector(struct buf *out, const char *name, char *const *v)
{
	for (; v && *v; v++)
		add_line(out, name, *v);
}

static void add_mount(struct buf *out, const char *kind, const struct box_mount *m)
{
	static const char *const sources[] = {
		[MOUNT_SCRATCH] = "scratch", [MOUNT_SHARED] = "shared", [MOUNT_HOST] = "host",
		[MOUNT_GATE] = "gate",	     [MOUNT_KEPT] = "kept",	[MOUNT_COPY] = "copy",
	};
	_cleanup_free_ char *value = xasprintf("%s %s at %s %s %s mode %04o owner %" PRId32,
					       sources[m->source], m->name, m->target,
					       m->read_only ? "ro" : "rw",
					       m->exec ? "exec" : "noexec", m->mode, m->owner);
	_cleanup_free_ char *name = xasprintf("%s mount", kind);

	add_line(out, name, value);
}

static void add_file(struct buf *out, const char *kind, const struct box_file *f)
{
	_cleanup_free_ char *value = xasprintf("%s mode %04o: %s", f->path, f->mode, f->content);
	_cleanup_free_ char *name = xasprintf("%s file", kind);

	add_line(out, name, value);
}

/* "cpu 150"; "no cpu" where there is no limit. */
static void add_limit(struct buf *out, const char *name, uint64_t value)
{
	if (value)
		buf_addf(out, ", %s %" PRIu64, name, value);
	else
		buf_addf(out, ", no %s", name);
}

static void add_limits(struct buf *out, const char *kind, const struct limits *l)
{
	buf_addf(out, "%s limits: open files %" PRIu32 ":%" PRIu32, kind, l->open_files_soft,
		 l->open_files);
	add_limit(out, limit_to_string(LIMIT_MEMORY), l->memory);
	add_limit(out, limit_to_string(LIMIT_TASKS), l->tasks);
	add_limit(out, limit_to_string(LIMIT_CPU), l->cpu);
	add_limit(out, limit_to_string(LIMIT_IO), l->io);
	buf_adds(out, "\n");
}

static void add_namespaces(struct buf *out, const char *kind, const uint32_t *max)
{
	const char *before = " ";

	buf_addf(out, "%s namespaces:", kind);
	for (enum namespace_kind k = 0; k < NAMESPACE_KIND_MAX; k++) {
		if (!max[k])
			continue;
		buf_addf(out, "%s%s %" PRIu32, before, namespace_kind_to_string(k), max[k]);
		before = ", ";
	}
	buf_adds(out, *before == ' ' ? " none\n" : "\n");
}

static void add_box(struct buf *out, const struct box_plan *b)
{
	const char *kind = box_kind_to_string(b->kind);
	_cleanup_free_ char *environment = xasprintf("%s environment", kind);
	_cleanup_free_ char *apparmor = xasprintf("%s apparmor", kind);
	_cleanup_free_ char *image = strv_join(b->image_layers, ":");
	_cleanup_free_ char *facts = xasprintf(
		"host name %s, image %s, ids %u+%u, user %u:%u (%u), home %s, root %s",
		b->host_name, image, b->slice.first, SLICE_IDS, b->uid, b->gid, b->user, b->home,
		b->root_writable ? "writable" : "read-only");

	add_line(out, kind, facts);
	add_limits(out, kind, &b->limits);
	add_namespaces(out, kind, b->namespaces);
	buf_addf(out, "%s: %s%s\n", apparmor, b->floor ? b->floor : "none",
		 b->own_profile ? " and its own" : "");
	for (size_t i = 0; i < b->n_mounts; i++)
		add_mount(out, kind, &b->mounts[i]);
	for (size_t i = 0; i < b->n_files; i++)
		add_file(out, kind, &b->files[i]);
	add_vector(out, environment, b->environment);
}

char *plan_to_text(const struct plan *p)
{
	_cleanup_buf_ struct buf out = { 0 };
	_cleanup_free_ char *number = xasprintf(":%u", p->display_number);
	_cleanup_free_ char *enforced = limits_to_string(p->limits.enforced);
	_cleanup_free_ char *missing = limits_to_string(p->limits.missing);
	const struct {
		const char *name, *value;
	} facts[] = {
		{ "id", p->id },
		{ "profile", p->profile },
		{ "image", p->image },
		{ "label", p->label },
		{ "program", p->program ? p->program : "none" },
		{ "display", display_backend_to_string(p->display) },
		{ "display number", number },
		{ "viewer", display_viewer_to_string(p->viewer) },
		{ "clipboard", clipboard_to_string(p->clipboard) },
		{ "border", p->border },
		{ "screen", p->screen },
		{ "playback", yes_no(p->playback) },
		{ "bus", yes_no(p->bus) },
		{ "uid mode", uid_mode_to_string(p->uid_mode) },
		{ "home", home_mode_to_string(p->home) },
		{ "network", network_mode_to_string(p->network) },
		{ "viewer lost", viewer_lost_to_string(p->viewer_lost) },
		{ "cgroup", cgroup_way_to_string(p->limits.way) },
		{ "limits enforced", enforced },
		{ "limits not enforced", missing },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++)
		add_line(&out, facts[i].name, facts[i].value);
	buf_addf(&out, "disk: %" PRIu64 "\ninodes: %" PRIu32 "\nlifetime: %" PRIu32 "\n", p->disk,
		 p->inodes, p->lifetime);
	add_line(&out, "desktop bus", p->desktop_bus.address ? p->desktop_bus.address : "none");
	add_vector(&out, "bus talk", p->desktop_bus.talk);
	add_vector(&out, "bus own", p->desktop_bus.own);
	add_vector(&out, "bus call", p->desktop_bus.call);
	add_vector(&out, "bus broadcast", p->desktop_bus.broadcast);
	add_vector(&out, "command", p->command);
	add_vector(&out, "note", p->notes);
	for (size_t k = 0; k < BOX_KIND_MAX; k++)
		if (p->has_box[k])
			add_box(&out, &p->boxes[k]);
	return buf_take(&out);
}
