#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "view/lint-rules.h"

#define CODE_LENGTH 4U

struct exception {
	char *profile;
	char *code;
	bool has_reason;
};

static void exception_release(struct exception *e)
{
	free(e->profile);
	free(e->code);
}

/* PROFILE CODE reason */
static void read_exception(const char *line, struct exception *ret)
{
	size_t name = strcspn(line, " "), blank = strspn(line + name, " ");
	const char *code = line + name + blank;
	size_t n = strcspn(code, " ");

	*ret = (struct exception){
		.profile = xstrndup(line, name),
		.code = xstrndup(code, n),
		.has_reason = code[n] && code[n + strspn(code + n, " ")],
	};
}

static bool is_code(const char *s)
{
	return strlen(s) == CODE_LENGTH && *s == 'V' && strspn(s + 1, "0123456789") == 3;
}

static void forget(struct lint *l, size_t i)
{
	free(l->list[i].profile);
	free(l->list[i].text);
	free(l->list[i].file);
	memmove(&l->list[i], &l->list[i + 1], (l->n - i - 1) * sizeof *l->list);
	l->n--;
}

/* Returns how many findings it has taken away. */
static size_t apply(struct lint *l, const struct exception *e)
{
	size_t n = 0;

	for (size_t i = l->n; i-- > 0;) {
		if (strcmp(l->list[i].profile, e->profile) || strcmp(l->list[i].code, e->code))
			continue;
		forget(l, i);
		n++;
	}
	return n;
}

static void take_line(struct lint *l, const char *line, const struct profile_origin *o,
		      char *const *looked_at)
{
	_cleanup_(exception_release) struct exception e = { 0 };

	read_exception(line, &e);
	if (!name_is_valid(e.profile) || !is_code(e.code) || !e.has_reason)
		lint_add(
			l, "V090", e.profile, o,
			"an exception is a line 'PROFILE CODE reason', such as 'vlc V021 streams'");
	else if ((!looked_at || strv_contains(looked_at, e.profile)) && !apply(l, &e))
		lint_add(l, "V091", e.profile, o, "there is nothing that needs the exception %s",
			 e.code);
}

void lint_except(struct lint *l, const char *text, const char *file, char *const *looked_at)
{
	_cleanup_free_ char *copy = xstrdup(text);
	struct profile_origin o = { file, 0 };
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		o.line++;
		if (*line && *line != '#')
			take_line(l, line, &o, looked_at);
	}
}
