#include <string.h>

#include "base/strv.h"
#include "view/lint-rules.h"

static bool is_itself(const struct lint_subject *s, const struct profile *other)
{
	return !strcmp(other->name, s->profile->name);
}

static void check_aliases(const struct lint_subject *s, const char *code, struct lint *ret)
{
	for (char *const *alias = s->profile->aliases; alias && *alias; alias++)
		for (size_t i = 0; i < s->n_all; i++)
			if (!is_itself(s, s->all[i]) && (!strcmp(s->all[i]->name, *alias) ||
							 strv_contains(s->all[i]->aliases, *alias)))
				lint_add(ret, code, s->profile->name,
					 lint_origin(s, "App", "Alias"),
					 "Alias=%s is a name of profile '%s', too", *alias,
					 s->all[i]->name);
}

static void check_titles(const struct lint_subject *s, const char *code, struct lint *ret)
{
	const char *title = s->profile->title;

	for (size_t i = 0; title && i < s->n_all; i++)
		if (!is_itself(s, s->all[i]) && s->all[i]->title &&
		    !strcmp(s->all[i]->title, title))
			lint_add(ret, code, s->profile->name, lint_origin(s, "App", "Title"),
				 "Title=%s is that of profile '%s', too", title, s->all[i]->name);
}

static const struct lint_rule rules[] = {
	{ "V040", LINT_ERROR, check_aliases },
	{ "V041", LINT_WARNING, check_titles },
};

const struct lint_rules lint_rules_of_others = { rules, ARRAY_SIZE(rules) };
