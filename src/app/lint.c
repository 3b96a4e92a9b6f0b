#include "app/lint.h"

#include <fcntl.h>
#include <string.h>

#include "base/fs.h"
#include "base/strv.h"
#include "emit/policy-load.h"
#include "emit/policy-text.h"
#include "image/recipe.h"
#include "profile/load.h"

#define FILE_MAX  (1U << 20)
#define BASES_MAX 8U

struct linter {
	const struct lint_wish *wish;
	const struct facts *facts;
	struct profile **all; /* every profile that can be loaded */
	size_t n_all;
	char **looked_at; /* names */
	struct lint *findings;
};

static void linter_release(struct linter *l)
{
	for (size_t i = 0; i < l->n_all; i++)
		profile_free(l->all[i]);
	free(l->all);
	strv_free(l->looked_at);
}

/* One that cannot be loaded collides with nobody. */
static int load_all(struct linter *l, char ***ret_names, struct error **err)
{
	int r = profile_list(l->facts->home, ret_names, err);

	if (r < 0)
		return r;
	l->all = xcalloc(strv_length(*ret_names) + 1, sizeof(struct profile *));
	for (char **name = *ret_names; name && *name; name++) {
		_cleanup_(error_freep) struct error *ignored = NULL;

		if (profile_load(*name, l->facts->home, &l->all[l->n_all], &ignored) == 0)
			l->n_all++;
	}
	return 0;
}

/* What was loaded for one profile. */
struct loaded {
	struct profile *profile, *parent;
	char *text, *policy;
	const char *file;
	char **packages;
	bool has_recipe;
};

static void loaded_release(struct loaded *l)
{
	profile_free(l->profile);
	profile_free(l->parent);
	free(l->text);
	free(l->policy);
	strv_free(l->packages);
}

/* A file that is not there, or not any more, is told of by no check. */
static char *read_text(const char *path)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	char *text = NULL;

	return fs_read(AT_FDCWD, path, FILE_MAX, &text, NULL, &ignored) < 0 ? NULL : text;
}

/* Beside what it inherits and its drop-ins. */
static void find_own_file(struct loaded *l)
{
	_cleanup_free_ char *end = xasprintf("/%s" PROFILE_SUFFIX, l->profile->name);

	for (char **file = l->profile->files; file && *file; file++) {
		size_t n = strlen(*file), m = strlen(end);

		if (n >= m && !strcmp(*file + n - m, end))
			l->file = *file;
	}
	if (!l->file && l->profile->files)
		l->file = l->profile->files[0]; /* NAME.vitrine in the working directory */
	l->text = l->file ? read_text(l->file) : NULL;
}

static void find_parent(struct loaded *l, const char *home)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_free_ char *name = NULL;

	if (l->text && profile_inherits(l->text, strlen(l->text), l->file, &name, &ignored) == 0 &&
	    name && profile_load(name, home, &l->parent, &ignored) < 0)
		l->parent = NULL;
}

static void find_packages(struct loaded *l, const char *home)
{
	_cleanup_free_ char *name = xstrdup(l->profile->image);

	for (size_t i = 0; i < BASES_MAX && name; i++) {
		_cleanup_(error_freep) struct error *ignored = NULL;
		_cleanup_(recipe_freep) struct recipe *recipe = NULL;

		if (recipe_load(home, name, &recipe, &ignored) < 0)
			return;
		l->has_recipe = true;
		strv_add_all(&l->packages, recipe->packages);
		free(name);
		name = recipe->base ? xstrdup(recipe->base) : NULL;
	}
}

/* All of it, with its sets in words. */
static char *policy_text(const char *name)
{
	_cleanup_(error_freep) struct error *ignored = NULL;
	_cleanup_(policy_freep) struct policy *policy = NULL;
	_cleanup_close_ int dir = -EBADF;

	if (fs_open_dir(AT_FDCWD, VITRINE_DATA_DIR "/seccomp-policies", &dir, &ignored) < 0 ||
	    policy_load(dir, name, &policy, &ignored) < 0)
		return NULL;
	return policy_render(policy);
}

static void look_at(struct linter *l, const char *word)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(loaded_release) struct loaded one = { 0 };
	struct lint_subject s;

	if (l->wish->load(word, l->facts, &one.profile, &error) < 0) {
		one.profile = NULL;
		strv_add(&l->looked_at, word);
		lint_add(l->findings, "V000", word, NULL, "%s", error->message);
		return;
	}
	strv_add(&l->looked_at, one.profile->name);
	find_own_file(&one);
	find_parent(&one, l->facts->home);
	find_packages(&one, l->facts->home);
	one.policy = policy_text(one.profile->seccomp_policy);
	s = (struct lint_subject){
		.profile = one.profile,
		.text = one.text,
		.file = one.file,
		.parent = one.parent,
		.has_recipe = one.has_recipe,
		.packages = one.packages,
		.policy = one.policy,
		.all = l->all,
		.n_all = l->n_all,
	};
	lint_profile(&s, l->findings);
}

/* A file that was named must be there; one in a directory need not. */
static int take_exceptions(struct linter *l, struct error **err)
{
	_cleanup_strv_ char **dirs = profile_dirs(l->facts->home);
	bool all = !l->wish->names || !*l->wish->names;
	char *const *looked_at = all ? NULL : l->looked_at;
	_cleanup_free_ char *named = NULL;

	for (char **dir = dirs; *dir; dir++) {
		_cleanup_free_ char *path = xasprintf("%s/" LINT_EXCEPTIONS, *dir);
		_cleanup_free_ char *text = read_text(path);

		if (text)
			lint_except(l->findings, text, path, looked_at);
	}
	if (!l->wish->exceptions)
		return 0;
	if (fs_read(AT_FDCWD, l->wish->exceptions, FILE_MAX, &named, NULL, err) < 0)
		return -EINVAL;
	lint_except(l->findings, named, l->wish->exceptions, looked_at);
	return 0;
}

int lint_run(const struct lint_wish *w, const struct facts *facts, struct lint *ret,
	     struct error **err)
{
	_cleanup_(linter_release) struct linter l = { .wish = w, .facts = facts, .findings = ret };
	_cleanup_strv_ char **names = NULL;
	int r;

	r = load_all(&l, &names, err);
	if (r < 0)
		return r;
	for (char *const *word = w->names && *w->names ? w->names : names; word && *word; word++)
		look_at(&l, *word);
	return take_exceptions(&l, err);
}
