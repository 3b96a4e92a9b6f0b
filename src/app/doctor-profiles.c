#include "app/doctor-check.h"
#include "app/windows.h"
#include "base/strv.h"
#include "profile/keys.h"
#include "profile/load.h"
#include "session/display-commands.h"
#include "session/homes.h"

static bool has_own_ids(const struct profile *p)
{
	return p->uid_mode == UID_USER;
}

static bool has_viewer_on_host(const struct profile *p)
{
	return p->display == DISPLAY_XPRA && p->viewer == VIEWER_HOST;
}

/* The names of all profiles, and of those that are `so`. Says what is wrong with none. */
static int find_profiles(const struct doctor_context *context, bool (*so)(const struct profile *),
			 char ***ret_all, char ***ret_so, struct error **err)
{
	_cleanup_strv_ char **names = NULL, **found = NULL;
	int r;

	r = profile_list(context->facts->home, &names, err);
	if (r < 0)
		return r;
	for (char **name = names; name && *name; name++) {
		_cleanup_(error_freep) struct error *ignored = NULL; /* said when it is run */
		_cleanup_(profile_freep) struct profile *p = NULL;

		if (profile_load(*name, context->facts->home, &p, &ignored) >= 0 && so(p))
			strv_add(&found, *name);
	}
	*ret_all = TAKE_PTR(names);
	*ret_so = TAKE_PTR(found);
	return 0;
}

enum doctor_result check_profiles(const struct check *c, const struct doctor_context *context,
				  char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_strv_ char **names = NULL, **risky = NULL;
	_cleanup_free_ char *list = NULL;

	(void)c;
	if (find_profiles(context, has_own_ids, &names, &risky, &error) < 0) {
		*ret_detail = xstrdup(error->message);
		*ret_mend = xstrdup("vitrine profile list");
		return DOCTOR_FAILURE;
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

/* A profile that has one of them is refused. */
enum doctor_result check_keys(const struct check *c, const struct doctor_context *context,
			      char **ret_detail, char **ret_mend)
{
	_cleanup_strv_ char **unsupported = NULL;
	_cleanup_free_ char *list = NULL;
	size_t supported = 0;

	(void)c;
	(void)context;
	(void)ret_mend;
	for (size_t i = 0; i < key_count(); i++)
		if (key_is_supported(key_at(i)))
			supported++;
		else
			strv_addf(&unsupported, "[%s] %s=", key_at(i)->section, key_at(i)->name);
	list = strv_join(unsupported, ", ");
	*ret_detail = unsupported
			      ? xasprintf("%zu; not supported in this version: %s", supported, list)
			      : xasprintf("%zu", supported);
	return DOCTOR_OK;
}

/* Those of which nobody knows any more whose their files are. */
static int find_damaged(int homes, char *const *names, char ***ret, struct error **err)
{
	for (; names && *names; names++) {
		_cleanup_(home_facts_release) struct home_facts f = { 0 };
		int r = home_look(homes, *names, &f, err);

		if (r < 0)
			return r;
		if (f.damaged)
			strv_add(ret, *names);
	}
	return 0;
}

enum doctor_result check_homes(const struct check *c, const struct doctor_context *context,
			       char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_strv_ char **names = NULL, **damaged = NULL;
	_cleanup_close_ int homes = -EBADF;
	_cleanup_free_ char *list = NULL;
	int r;

	(void)c;
	r = homes_open(context->facts->home, &homes, &error);
	if (r >= 0)
		r = homes_list(homes, false, &names, &error);
	if (r >= 0)
		r = find_damaged(homes, names, &damaged, &error);
	if (r < 0 && r != -ENOENT) {
		*ret_detail = xstrdup(error->message);
		*ret_mend = xstrdup("vitrine home list");
		return DOCTOR_WARNING;
	}
	if (!damaged) {
		*ret_detail = xasprintf("%zu kept", strv_length(names));
		return DOCTOR_OK;
	}
	list = strv_join(damaged, ", ");
	*ret_detail = xasprintf("damaged, and no new one can be made: %s", list);
	*ret_mend = xasprintf("vitrine home rm %s", *damaged);
	return DOCTOR_WARNING;
}

/* An image that is not there is the business of another row. */
enum doctor_result check_windows(const struct check *c, const struct doctor_context *context,
				 char **ret_detail, char **ret_mend)
{
	_cleanup_(error_freep) struct error *error = NULL, *ignored = NULL;
	_cleanup_strv_ char **names = NULL, **lost = NULL;
	_cleanup_free_ char *text = NULL, *list = NULL;

	(void)c;
	if (windows_text(context->facts->home, DISPLAY_XPRA, &text, &error) < 0) {
		*ret_detail = xstrdup(error->message);
		*ret_mend = xstrdup("vitrine image build " DISPLAY_IMAGE);
		return DOCTOR_WARNING;
	}
	if (!context->facts->host.xpra)
		(void)find_profiles(context, has_viewer_on_host, &names, &lost, &ignored);
	if (!lost) {
		*ret_detail = xasprintf("shown by %s", text);
		return DOCTOR_OK;
	}
	list = strv_join(lost, ", ");
	*ret_detail = xasprintf("shown by %s; this host has no xpra for Viewer=host of: %s", text,
				list);
	*ret_mend = xstrdup("take Viewer=host out of them: Debian 13 packages no xpra");
	return DOCTOR_WARNING;
}
