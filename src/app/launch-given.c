#include <string.h>

#include "app/arguments.h"
#include "app/launch-phases.h"
#include "app/user-dirs.h"
#include "base/strv.h"
#include "base/text.h"
#include "profile/host-path.h"

/* What the paths of a profile are opened with. */
struct opening {
	struct sandbox *s;
	struct protection protection;
	struct user_dirs dirs;
};

static void opening_release(struct opening *o)
{
	protection_release(&o->protection);
	user_dirs_release(&o->dirs);
}

static void say_missing(struct sandbox *s, const char *path)
{
	_cleanup_free_ char *shown = text_escape(path, strlen(path));

	log_line(s->log, "'%s' is not there, and so not given", shown);
}

/* With UidMode=user the kernel binds the directory itself: nothing stands between that could leave
 * something out. */
static int check_bind(const struct opening *o, const struct given *g, struct error **err)
{
	_cleanup_strv_ char **masks = protected_masks(&o->protection, g->path);
	_cleanup_free_ char *shown = text_escape(g->path, strlen(g->path));

	if (!masks)
		return 0;
	return error_set(err, EPERM,
			 "'%s' cannot be given with UidMode=user: '%s' beneath it would undo the "
			 "sandbox; give smaller directories",
			 shown, *masks);
}

/* The place in the gate; with a bind there is none. */
static int give(struct opening *o, struct given *g, bool writable, char **ret_place,
		struct error **err)
{
	struct sandbox *s = o->s;
	_cleanup_free_ char *place = NULL;

	if (s->profile->uid_mode == UID_USER)
		return check_bind(o, g, err);
	if (g->directory)
		place = xasprintf(GATE_TREES "/%zu", s->n_grants);
	return gate_give(s->gate, g, place, writable ? GATE_READ_WRITE : GATE_READ_ONLY,
			 GATE_NO_LIMIT, NULL, NULL, ret_place, err);
}

static int open_path(struct opening *o, const char *path, bool writable, struct error **err)
{
	struct sandbox *s = o->s;
	_cleanup_free_ char *target = host_path_expand(path, s->facts.home, o->dirs.paths);
	_cleanup_(given_release) struct given g = GIVEN_NONE;
	struct plan_grant *grant;
	int r;

	r = given_open(target, false, &o->protection, &g, err);
	if (r == -ENOENT) {
		*err = error_free(*err);
		say_missing(s, target);
		return 0;
	}
	if (r >= 0)
		r = permit_check_given(s->launch->permit, g.path, writable, false, err);
	if (r < 0)
		return r;
	s->grants = xreallocarray(s->grants, s->n_grants + 1, sizeof *s->grants);
	grant = &s->grants[s->n_grants];
	*grant = (struct plan_grant){
		.source = xstrdup(g.path),
		.target = TAKE_PTR(target),
		.writable = writable,
		.directory = g.directory,
	};
	r = give(o, &g, writable, &grant->place, err);
	s->n_grants++;
	return r;
}

static int open_profile_paths(struct sandbox *s, struct error **err)
{
	const struct profile *p = s->profile;
	const struct {
		char *const *paths;
		bool writable;
		const char *key;
	} lists[] = { { p->read_only, false, "ReadOnly" }, { p->read_write, true, "ReadWrite" } };
	_cleanup_(opening_release) struct opening o = { .s = s };
	int r;

	if (!p->read_only && !p->read_write)
		return 0;
	r = protection_gather(s->facts.home, &o.protection, err);
	if (r >= 0)
		r = user_dirs_read(s->facts.home, &o.dirs, err);
	for (size_t i = 0; i < ARRAY_SIZE(lists) && r >= 0; i++)
		for (char *const *path = lists[i].paths; path && *path && r >= 0; path++) {
			r = open_path(&o, *path, lists[i].writable, err);
			if (r < 0)
				error_prefix(err, "profile '%s': %s=%s", p->name, lists[i].key,
					     *path);
		}
	return r;
}

int given_by_profile(const struct sandbox *s, const char *path, bool writable,
		     const struct plan_grant **ret, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(path, strlen(path));
	const struct plan_grant *found = NULL;

	for (size_t i = 0; i < s->n_grants && !found; i++)
		if (!strcmp(s->grants[i].source, path))
			found = &s->grants[i];
	if (found && writable && !found->writable)
		return error_set(
			err, EROFS,
			"'%s' is given read-only by profile '%s': change ReadOnly= there to "
			"ReadWrite=",
			shown, s->profile->name);
	*ret = found;
	return 0;
}

static int give_argument(struct sandbox *s, struct argument *a, char **ret_inside,
			 struct error **err)
{
	const struct plan_grant *of_profile;
	_cleanup_free_ char *place = NULL;
	int r;

	r = given_by_profile(s, a->given.path, a->writable, &of_profile, err);
	if (r >= 0)
		r = permit_check_given(s->launch->permit, a->given.path, a->writable, true, err);
	if (r < 0)
		return r;
	if (of_profile) {
		*ret_inside = xstrdup(of_profile->target);
		return 0;
	}
	r = gate_give(s->gate, &a->given, NULL, a->writable ? GATE_READ_WRITE : GATE_READ_ONLY,
		      GATE_NO_LIMIT, NULL, NULL, &place, err);
	if (r < 0)
		return r;
	*ret_inside = gate_path_inside(s->facts.home, place);
	return 0;
}

/* The words of the command line, with the paths that the files among them have inside. */
static int give_arguments(struct sandbox *s, struct error **err)
{
	struct arguments_given *words = s->launch->arguments;

	for (size_t i = 0; i < words->n; i++) {
		struct argument *a = &words->list[i];
		_cleanup_free_ char *inside = NULL;
		int r;

		if (!a->is_file) {
			strv_add(&s->arguments, a->word);
			continue;
		}
		r = give_argument(s, a, &inside, err);
		if (r < 0)
			return r;
		strv_take(&s->arguments, argument_inside(a, inside));
	}
	return 0;
}

int launch_given(struct sandbox *s, struct error **err)
{
	int r;

	r = open_profile_paths(s, err);
	if (r < 0)
		return r;
	return s->launch->arguments ? give_arguments(s, err) : 0;
}
