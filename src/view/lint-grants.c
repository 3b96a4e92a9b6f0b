#include <string.h>

#include "base/strv.h"
#include "profile/keys.h"
#include "view/lint-rules.h"

/* What a [Test] does, as text: its steps and arguments; a line each. */
static bool test_has(const struct profile *p, const char *part)
{
	char *const *const lists[] = { p->test_steps, p->test_arguments };

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (char *const *line = lists[i]; line && *line; line++)
			if (strstr(*line, part))
				return true;
	return false;
}

static bool test_has_any(const struct profile *p, const char *const *parts)
{
	for (; *parts; parts++)
		if (test_has(p, *parts))
			return true;
	return false;
}

static bool gives_sound(const struct profile *p)
{
	return p->playback;
}

static bool gives_network(const struct profile *p)
{
	return p->network != NETWORK_NONE;
}

static bool gives_arguments(const struct profile *p)
{
	return p->file_arguments != FILE_ARGUMENTS_NONE && !p->test_files;
}

static bool gives_change(const struct profile *p)
{
	return p->file_arguments == FILE_ARGUMENTS_READ_WRITE;
}

static bool gives_read_only(const struct profile *p)
{
	return p->read_only;
}

static bool gives_read_write(const struct profile *p)
{
	return p->read_write;
}

static bool gives_home(const struct profile *p)
{
	return p->home == HOME_KEPT || p->kept;
}

static bool gives_clipboard(const struct profile *p)
{
	return p->clipboard != CLIPBOARD_NONE;
}

static bool gives_programs(const struct profile *p)
{
	return p->writable_mounts;
}

static bool gives_namespaces(const struct profile *p)
{
	return p->user_namespaces;
}

static bool gives_calls(const struct profile *p)
{
	return p->seccomp_allow;
}

static bool gives_root(const struct profile *p)
{
	return p->root == ROOT_WRITABLE;
}

/* A right, and the words of steps of which one must be there if the test needs it. What no step can
 * show has none: it needs a reason among the exceptions. */
static const struct grant {
	const char *code, *section, *key;
	bool (*is_given)(const struct profile *p);
	const char *needs[4];
} grants[] = {
	/* clang-format off */
	{ "V020", "Sound",   "Playback",       gives_sound,      { "sound" } },
	{ "V021", "Network", "Mode",           gives_network,    { "://", "localhost" } },
	{ "V022", "Files",   "Arguments",      gives_arguments,  { NULL } },
	{ "V023", "Files",   "Arguments",      gives_change,     { "file " } },
	{ "V024", "Files",   "ReadOnly",       gives_read_only,  { NULL } },
	{ "V025", "Files",   "ReadWrite",      gives_read_write, { NULL } },
	{ "V026", "Files",   "Home",           gives_home,       { "home " } },
	{ "V027", "Display", "Clipboard",      gives_clipboard,  { "ctrl+v", "ctrl+c", "shift+Insert" } },
	{ "V028", "Exec",    "WritableMounts", gives_programs,   { NULL } },
	{ "V029", "Seccomp", "UserNamespaces", gives_namespaces, { NULL } },
	{ "V030", "Seccomp", "Allow",          gives_calls,      { NULL } },
	{ "V031", "Files",   "Root",           gives_root,       { NULL } },
	/* clang-format on */
};

static void check_needed(const struct lint_subject *s, const char *code, struct lint *ret)
{
	const struct profile *p = s->profile;

	for (size_t i = 0; i < ARRAY_SIZE(grants); i++) {
		const struct grant *g = &grants[i];

		if (strcmp(g->code, code) || !p->test_steps || !g->is_given(p) ||
		    test_has_any(p, g->needs))
			continue;
		lint_add(ret, code, p->name, lint_origin(s, g->section, g->key),
			 "%s= of [%s] gives something that no step of [Test] needs", g->key,
			 g->section);
	}
}

/* --- rights that need a reason whatever the test does ------------------------ */

static void check_own_id(const struct lint_subject *s, const char *code, struct lint *ret)
{
	if (s->profile->uid_mode == UID_USER)
		lint_add(ret, code, s->profile->name, lint_origin(s, "Identity", "UidMode"),
			 "UidMode=user: what gets out of the box has all rights of the user");
}

static void check_viewer(const struct lint_subject *s, const char *code, struct lint *ret)
{
	if (s->profile->viewer == VIEWER_HOST)
		lint_add(ret, code, s->profile->name, lint_origin(s, "Display", "Viewer"),
			 "Viewer=host: the program that draws its windows has all rights of the "
			 "user");
}

static void check_clipboard(const struct lint_subject *s, const char *code, struct lint *ret)
{
	if (s->profile->clipboard == CLIPBOARD_BOTH)
		lint_add(ret, code, s->profile->name, lint_origin(s, "Display", "Clipboard"),
			 "Clipboard=both: one direction is enough for most applications");
}

/* Without conditions; with them a rule may say more than the policy's. */
static void check_redundant(const struct lint_subject *s, const char *code, struct lint *ret)
{
	for (char *const *rule = s->profile->seccomp_allow; s->policy && rule && *rule; rule++) {
		_cleanup_free_ char *line = xasprintf("\nallow %s\n", *rule);

		if (strstr(s->policy, line))
			lint_add(ret, code, s->profile->name, lint_origin(s, "Seccomp", "Allow"),
				 "Allow=%s is in Policy=%s already", *rule,
				 s->profile->seccomp_policy);
	}
}

static const struct lint_rule rules[] = {
	/* clang-format off */
	{ "V010", LINT_WARNING, check_own_id },
	{ "V011", LINT_WARNING, check_viewer },
	{ "V012", LINT_WARNING, check_clipboard },
	{ "V013", LINT_WARNING, check_redundant },
	{ "V020", LINT_WARNING, check_needed },
	{ "V021", LINT_WARNING, check_needed },
	{ "V022", LINT_WARNING, check_needed },
	{ "V023", LINT_WARNING, check_needed },
	{ "V024", LINT_WARNING, check_needed },
	{ "V025", LINT_WARNING, check_needed },
	{ "V026", LINT_WARNING, check_needed },
	{ "V027", LINT_WARNING, check_needed },
	{ "V028", LINT_WARNING, check_needed },
	{ "V029", LINT_WARNING, check_needed },
	{ "V030", LINT_WARNING, check_needed },
	{ "V031", LINT_WARNING, check_needed },
	/* clang-format on */
};

const struct lint_rules lint_rules_of_grants = { rules, ARRAY_SIZE(rules) };
