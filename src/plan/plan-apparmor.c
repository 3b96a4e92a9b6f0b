#include "plan/plan-apparmor.h"

#include "base/strv.h"

const char *apparmor_floor_to_string(enum apparmor_floor floor)
{
	static const char *const names[] = {
		[FLOOR_APP] = "vitrine-app",
		[FLOOR_APP_EXEC] = "vitrine-app-exec",
		[FLOOR_APP_NESTED] = "vitrine-app-nested",
		[FLOOR_APP_EXEC_NESTED] = "vitrine-app-exec-nested",
		[FLOOR_DISPLAY] = "vitrine-display",
		[FLOOR_VIEWER] = "vitrine-viewer",
	};

	return names[floor];
}

static enum apparmor_floor choose_floor(enum box_kind kind, const struct profile *p)
{
	const enum apparmor_floor of_app[2][2] = {
		{ FLOOR_APP, FLOOR_APP_NESTED },
		{ FLOOR_APP_EXEC, FLOOR_APP_EXEC_NESTED },
	};
	bool exec = p->writable_mounts || p->root == ROOT_WRITABLE, nested = p->user_namespaces;
	const enum apparmor_floor of_kind[] = {
		[BOX_APP] = of_app[exec][nested],
		[BOX_DISPLAY] = FLOOR_DISPLAY,
		[BOX_VIEWER] = FLOOR_VIEWER,
	};

	return of_kind[kind];
}

static int do_without(struct plan *plan, const struct profile *p, struct error **err)
{
	if (p->apparmor_required)
		return error_set(err, ENOTSUP,
				 "profile '%s' has [AppArmor] Required=yes, and this kernel has no "
				 "AppArmor (see 'vitrine doctor')",
				 p->name);
	strv_add(&plan->notes, "this kernel has no AppArmor: this layer of protection is missing");
	return 0;
}

int plan_apparmor(struct plan *plan, const struct profile *p, const struct host_facts *host,
		  struct error **err)
{
	if (!host->apparmor)
		return do_without(plan, p, err);
	for (enum box_kind k = 0; k < BOX_KIND_MAX; k++) {
		enum apparmor_floor floor = choose_floor(k, p);
		const char *name = apparmor_floor_to_string(floor);

		if (!plan->has_box[k])
			continue;
		if (!host->floors[floor])
			return error_set(err, EPERM,
					 "the AppArmor profile '%s' is not loaded: 'sudo vitrine "
					 "admin install-policies'",
					 name);
		plan->boxes[k].floor = name;
		plan->boxes[k].own_profile = host->own_profiles;
	}
	return 0;
}
