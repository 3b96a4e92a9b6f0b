#include "app/places.h"

#include <string.h>

#include "base/strv.h"

#define SCRATCH	 "app/scratch/"
#define UPPER	 "app/upper"
#define IDENTITY "app/identity"

static bool is_temporary(const char *name)
{
	return !strcmp(name, "tmp") || !strcmp(name, "var-tmp");
}

static void add_mount(struct walk_order *o, const struct plan *p, const struct box_mount *m,
		      bool temporary)
{
	_cleanup_free_ char *scratch = NULL;

	switch (m->source) {
	case MOUNT_KEPT:
		walk_order_add_root(o, PLACES_KEPT, m->name + strlen(p->kept_dir) + 1, m->target,
				    false);
		return;
	case MOUNT_COPY:
		walk_order_add_root(o, PLACES_TREE, SCRATCH BOX_HOME_SCRATCH, m->target, false);
		return;
	case MOUNT_SCRATCH:
		if (strcmp(m->name, BOX_HOME_SCRATCH) && !(temporary && is_temporary(m->name)))
			return;
		scratch = xasprintf(SCRATCH "%s", m->name);
		walk_order_add_root(o, PLACES_TREE, scratch, m->target, false);
		return;
	case MOUNT_SHARED:
	case MOUNT_HOST:
	case MOUNT_GATE:
		return;
	}
}

/* A mount point, and the directories above it. */
static void add_skipped(struct walk_order *o, const char *target)
{
	_cleanup_free_ char *path = xstrdup(target);
	char *slash;

	for (; *path && !strv_contains(o->skip, path); *slash = '\0') {
		strv_add(&o->skip, path);
		slash = strrchr(path, '/');
	}
}

void places_add(struct walk_order *o, const struct plan *p, bool temporary)
{
	const struct box_plan *app = &p->boxes[BOX_APP];

	for (size_t i = 0; i < app->n_mounts; i++) {
		add_mount(o, p, &app->mounts[i], temporary);
		add_skipped(o, app->mounts[i].target);
	}
	if (!app->root_writable)
		return;
	walk_order_add_root(o, PLACES_TREE, UPPER, "/", true);
	strv_add(&o->lowers, IDENTITY);
	strv_add_all(&o->lowers, app->image_layers);
}

bool places_begin_empty(const struct plan *p)
{
	const struct box_plan *app = &p->boxes[BOX_APP];

	for (size_t i = 0; i < app->n_mounts; i++)
		if (app->mounts[i].source == MOUNT_KEPT || app->mounts[i].source == MOUNT_COPY)
			return false;
	return true;
}
