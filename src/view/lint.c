#include "view/lint-rules.h"

#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "profile/keys.h"

#define TEXT_SHOWN_MAX 4096U

static const struct lint_rules *const parts[] = {
	&lint_rules_of_form,
	&lint_rules_of_grants,
	&lint_rules_of_others,
};

const char *lint_severity_to_string(enum lint_severity s)
{
	static const char *const names[] = {
		[LINT_ERROR] = "error",
		[LINT_WARNING] = "warning",
		[LINT_INFO] = "info",
	};

	return names[s];
}

static const struct lint_rule *find_rule(const char *code)
{
	for (size_t part = 0; part < ARRAY_SIZE(parts); part++)
		for (size_t i = 0; i < parts[part]->n; i++)
			if (!strcmp(parts[part]->list[i].code, code))
				return &parts[part]->list[i];
	abort(); /* a code that is not in the table */
}

void lint_add(struct lint *l, const char *code, const char *profile, const struct profile_origin *o,
	      const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list ap;

	va_start(ap, format);
	text = xvasprintf(format, ap);
	va_end(ap);
	l->list = xreallocarray(l->list, l->n + 1, sizeof *l->list);
	l->list[l->n++] = (struct lint_finding){
		.code = find_rule(code)->code,
		.severity = find_rule(code)->severity,
		.profile = text_escape(profile, TEXT_SHOWN_MAX),
		.text = text_escape(text, TEXT_SHOWN_MAX),
		.file = o && o->file ? text_escape(o->file, TEXT_SHOWN_MAX) : NULL,
		.line = o && o->file ? o->line : 0,
	};
}

void lint_release(struct lint *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->list[i].profile);
		free(l->list[i].text);
		free(l->list[i].file);
	}
	free(l->list);
	*l = (struct lint){ 0 };
}

const struct profile_origin *lint_origin(const struct lint_subject *s, const char *section,
					 const char *key)
{
	return &s->profile->origins[key_index(key_find(section, key))];
}

void lint_profile(const struct lint_subject *s, struct lint *ret)
{
	for (size_t part = 0; part < ARRAY_SIZE(parts); part++)
		for (size_t i = 0; i < parts[part]->n; i++)
			if (parts[part]->list[i].check)
				parts[part]->list[i].check(s, parts[part]->list[i].code, ret);
}
