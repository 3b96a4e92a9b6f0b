#include "app/doctor-check.h"
#include "base/strv.h"
#include "profile/load.h"

enum doctor_result check_profiles(const struct check *c, const struct doctor_context *context,
				  char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_strv_ char **names = NULL, **risky = NULL;
	_cleanup_free_ char *list = NULL;

	(void)c;
	if (profile_list(context->facts->home, &names, &error) < 0) {
		*ret_detail = xstrdup(error->message);
		*ret_mend = xstrdup("vitrine profile list");
		return DOCTOR_FAILURE;
	}
	for (char **name = names; name && *name; name++) {
		_cleanup_(error_freep) struct error *ignored = NULL; /* said when it is run */
		_cleanup_(profile_freep) struct profile *p = NULL;

		if (profile_load(*name, context->facts->home, &p, &ignored) >= 0 &&
		    p->uid_mode == UID_USER)
			strv_add(&risky, *name);
	}
	if (!risky) {
		*ret_detail = xasprintf("%zu, all with isolated ids", strv_length(names));
		return DOCTOR_OK;
	}
	list = strv_join(risky, ", ");
	*ret_detail = xasprintf("run under your own user id, a higher risk: %s", list);
	*ret_mend = xstrdup("take UidMode=user out of them, unless native speed is worth it");
	return DOCTOR_WARNING;
}
