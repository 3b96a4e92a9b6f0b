#include <string.h>

#include "base/strv.h"
#include "profile/keys.h"
#include "profile/step.h"
#include "view/lint-rules.h"

static void check_header(const struct lint_subject *s, const char *code, struct lint *ret)
{
	const struct profile_origin top = { s->file, 1 };

	if (s->text && strncmp(s->text, "# Gives: ", 9) != 0)
		lint_add(ret, code, s->profile->name, &top,
			 "the first line is not a comment that begins with '# Gives: ' and says "
			 "what "
			 "the application gets");
}

static void check_recipe(const struct lint_subject *s, const char *code, struct lint *ret)
{
	if (!s->has_recipe)
		lint_add(ret, code, s->profile->name, lint_origin(s, "App", "Image"),
			 "there is no recipe for Image=%s", s->profile->image);
}

static void check_packages(const struct lint_subject *s, const char *code, struct lint *ret)
{
	for (char *const *p = s->profile->packages; s->has_recipe && p && *p; p++)
		if (!strv_contains(s->packages, *p))
			lint_add(ret, code, s->profile->name, lint_origin(s, "App", "Package"),
				 "Package=%s is not in the recipe of Image=%s", *p,
				 s->profile->image);
}

static void check_has_test(const struct lint_subject *s, const char *code, struct lint *ret)
{
	const struct profile_origin whole = { s->file, 0 };

	if (!s->profile->test_steps)
		lint_add(ret, code, s->profile->name, &whole, "there is no [Test]");
}

static void check_test(const struct lint_subject *s, const char *code, struct lint *ret)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(steps_release) struct steps steps = { 0 };

	if (s->profile->test_steps && steps_read(s->profile, &steps, &error) < 0)
		lint_add(ret, code, s->profile->name, lint_origin(s, "Test", "Step"), "%s",
			 error->message);
}

/* The value of a key as text; NULL for lists and what is not set. */
static char *single_value(const struct key *k, const struct profile *p)
{
	_cleanup_buf_ struct buf line = { 0 };

	if (k->type->is_list || !key_is_supported(k))
		return NULL;
	k->type->write(k, key_value(k, p), &line);
	return line.size ? buf_take(&line) : NULL;
}

static bool is_set_here(const struct lint_subject *s, size_t i)
{
	const char *file = s->profile->origins[i].file;

	return file && s->file && !strcmp(file, s->file);
}

/* Does the file of this profile say what would be so without it? */
static void check_same(const struct lint_subject *s, const struct profile *without,
		       const char *code, const char *why, struct lint *ret)
{
	for (size_t i = 0; key_at(i); i++) {
		_cleanup_free_ char *here = single_value(key_at(i), s->profile);
		_cleanup_free_ char *there = single_value(key_at(i), without);

		if (is_set_here(s, i) && here && there && !strcmp(here, there))
			lint_add(ret, code, s->profile->name, &s->profile->origins[i], "%s= is %s",
				 key_at(i)->name, why);
	}
}

static void check_defaults(const struct lint_subject *s, const char *code, struct lint *ret)
{
	_cleanup_(profile_freep) struct profile *fallbacks = profile_new("fallbacks");

	if (!s->parent)
		check_same(s, fallbacks, code, "the default, written out", ret);
}

static void check_inherited(const struct lint_subject *s, const char *code, struct lint *ret)
{
	if (s->parent)
		check_same(s, s->parent, code, "what is inherited anyway", ret);
}

static const struct lint_rule rules[] = {
	/* clang-format off */
	{ "V000", LINT_ERROR,   NULL }, /* cannot be loaded: app/lint.c */
	{ "V001", LINT_WARNING, check_header },
	{ "V002", LINT_ERROR,   check_recipe },
	{ "V003", LINT_ERROR,   check_packages },
	{ "V004", LINT_WARNING, check_has_test },
	{ "V005", LINT_ERROR,   check_test },
	{ "V006", LINT_WARNING, check_defaults },
	{ "V007", LINT_WARNING, check_inherited },
	{ "V090", LINT_ERROR,   NULL }, /* bad exception: lint-except.c */
	{ "V091", LINT_WARNING, NULL }, /* exception of nothing: the same */
	/* clang-format on */
};

const struct lint_rules lint_rules_of_form = { rules, ARRAY_SIZE(rules) };
