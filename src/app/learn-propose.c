#include "app/learn-propose.h"

#include <inttypes.h>
#include <string.h>

#include "base/strv.h"
#include "plan/plan-bus.h"
#include "profile/keys.h"
#include "profile/order.h"

#define CLONE_NEWUSER_BIT 0x10000000U
#define USER_NAMESPACES	  "128" /* as the browsers that are shipped have */
#define DNS_PORT	  ":53"
#define NOTES_MAX	  64U

/* A line in the making. */
struct line {
	const struct key *key;
	char *value;
	char *event; /* as it is described */
};

struct proposal {
	const struct profile *base;
	const struct learn_limit *limit;
	struct line *lines;
	size_t n;
	char **notes; /* comments at the end, each once */
};

static void proposal_release(struct proposal *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->lines[i].value);
		free(p->lines[i].event);
	}
	free(p->lines);
	strv_free(p->notes);
}

static void note(struct proposal *p, const char *text)
{
	if (!strv_contains(p->notes, text) && strv_length(p->notes) < NOTES_MAX)
		strv_add(&p->notes, text);
}

/* --- what an event needs: a value, owned by the caller, or NULL ----------------------------------
 */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n >= m && !strcmp(text + n - m, end);
}

static bool begins_with(const char *text, const char *begin)
{
	return !strncmp(text, begin, strlen(begin));
}

static char *needs_arguments(const struct learn_event *e, const struct profile *p)
{
	(void)p;
	if (e->kind == LEARN_WRITE && e->word)
		return xstrdup(file_arguments_to_string(FILE_ARGUMENTS_READ_WRITE));
	if (e->kind == LEARN_WORD)
		return xstrdup(file_arguments_to_string(FILE_ARGUMENTS_READ_ONLY));
	return NULL;
}

static char *needs_programs(const struct learn_event *e, const struct profile *p)
{
	(void)p;
	return e->kind == LEARN_EXECUTE ? xstrdup("yes") : NULL;
}

static char *needs_playback(const struct learn_event *e, const struct profile *p)
{
	(void)p;
	if (e->kind == LEARN_CONNECT && e->missing && begins_with(e->target, "unix:/") &&
	    ends_with(e->target, "/pulse/native"))
		return xstrdup("yes");
	return NULL;
}

/* The loopback of the box is there always; but a name server is asked for names of others. Without
 * a network many do not even try to reach what they are told to. */
static char *needs_network(const struct learn_event *e, const struct profile *p)
{
	static const char *const own[] = {
		"inet:127.", "inet:0.0.0.0:", "inet6:[::1]:", "inet6:[::]:", "inet6:[::ffff:127.",
	};

	(void)p;
	if (e->kind == LEARN_ADDRESS)
		return xstrdup(network_mode_to_string(NETWORK_PRIVATE));
	if (e->kind != LEARN_CONNECT || !begins_with(e->target, "inet"))
		return NULL;
	for (size_t i = 0; i < ARRAY_SIZE(own); i++)
		if (begins_with(e->target, own[i]) && !ends_with(e->target, DNS_PORT))
			return NULL;
	return xstrdup(network_mode_to_string(NETWORK_PRIVATE));
}

static bool makes_user_namespace(const struct learn_event *e)
{
	return e->kind == LEARN_CALL &&
	       (!strcmp(e->call, "clone") || !strcmp(e->call, "unshare")) &&
	       e->arguments[0] & CLONE_NEWUSER_BIT;
}

static char *needs_browser_policy(const struct learn_event *e, const struct profile *p)
{
	bool is_default = !p->seccomp_policy || !strcmp(p->seccomp_policy, "gui");

	return makes_user_namespace(e) && is_default ? xstrdup("browser") : NULL;
}

static char *needs_user_namespaces(const struct learn_event *e, const struct profile *p)
{
	(void)p;
	return makes_user_namespace(e) ? xstrdup(USER_NAMESPACES) : NULL;
}

/* What libraries try when they are loaded, and do without. */
static bool is_dispensable(const char *call)
{
	static const char *const tried[] = {
		"get_mempolicy",	   "mbind",
		"migrate_pages",	   "move_pages",
		"set_mempolicy",	   "lsm_list_modules",
		"set_mempolicy_home_node",
	};

	for (size_t i = 0; i < ARRAY_SIZE(tried); i++)
		if (!strcmp(tried[i], call))
			return true;
	return false;
}

/* Where the policy allows a call with some arguments only, those that were seen. */
static char *needs_call(const struct learn_event *e, const struct profile *p)
{
	_cleanup_buf_ struct buf rule = { 0 };

	(void)p;
	if (e->kind != LEARN_CALL || e->denied || is_dispensable(e->call) ||
	    strspn(e->call, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(e->call))
		return NULL;
	buf_adds(&rule, e->call);
	for (unsigned i = 0; i < WATCH_CALL_ARGS && !e->rule; i++)
		if (e->compared & 1U << i)
			buf_addf(&rule, " arg%u eq 0x%" PRIx64, i, e->arguments[i]);
	return buf_take(&rule);
}

/* Its methods alone: whoever owns a name may do more than it says. */
static char *needs_bus_call(const struct learn_event *e, const struct profile *p)
{
	(void)p;
	/* ":1.5" is whoever it was in that run. */
	return e->kind == LEARN_BUS_CALL && *e->target != ':'
		       ? xasprintf("%s=%s", e->target, e->call)
		       : NULL;
}

static char *needs_bus_name(const struct learn_event *e, const struct profile *p)
{
	(void)p;
	return e->kind == LEARN_BUS_OWN ? xstrdup(e->target) : NULL;
}

static bool is_limit(const struct learn_event *e, const char *name)
{
	return e->kind == LEARN_LIMIT && !strcmp(e->target, name);
}

/* Twice as much. */
static char *needs_disk(const struct learn_event *e, const struct profile *p)
{
	return is_limit(e, "disk") ? xasprintf("%" PRIu64 "M", p->disk >> 19) : NULL;
}

static char *needs_memory(const struct learn_event *e, const struct profile *p)
{
	return is_limit(e, "memory") && p->memory ? xasprintf("%" PRIu64 "M", p->memory >> 19)
						  : NULL;
}

static char *needs_tasks(const struct learn_event *e, const struct profile *p)
{
	return is_limit(e, "tasks") && p->tasks ? xasprintf("%" PRIu64, (uint64_t)p->tasks * 2)
						: NULL;
}

/* clang-format off */
static const struct need {
	const char *section, *key;
	char *(*value)(const struct learn_event *e, const struct profile *base);
} needs[] = {
	{ "Files",   "Arguments",      needs_arguments },
	{ "Exec",    "WritableMounts", needs_programs },
	{ "Sound",   "Playback",       needs_playback },
	{ "Network", "Mode",           needs_network },
	{ "Bus",     "Call",           needs_bus_call },
	{ "Bus",     "Own",            needs_bus_name },
	{ "Seccomp", "Policy",         needs_browser_policy },
	{ "Seccomp", "Allow",          needs_call },
	{ "Seccomp", "UserNamespaces", needs_user_namespaces },
	{ "Limits",  "Disk",           needs_disk },
	{ "Limits",  "Memory",         needs_memory },
	{ "Limits",  "Tasks",          needs_tasks },
};
/* clang-format on */

/* --- lines ----------------------------------------------------------------------------------- */

static struct profile *copy(const struct profile *p)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *text = profile_write(p);
	struct profile *q = profile_new(p->name);

	/* What was written reads back. */
	if (profile_add(q, text, strlen(text), "profile", &error) < 0)
		return profile_free(q);
	return q;
}

/* The profile with this line: NULL and an error where it is not good, or not built. */
static struct profile *with_line(const struct profile *p, const struct key *k, const char *value,
				 struct error **err)
{
	_cleanup_free_ char *text = xasprintf("[%s]\n%s=%s\n", k->section, k->name, value);
	_cleanup_(profile_freep) struct profile *q = copy(p);

	if (!q) {
		error_set(err, EINVAL, "the profile does not read back");
		return NULL;
	}
	return profile_add(q, text, strlen(text), "line", err) < 0 ? NULL : TAKE_PTR(q);
}

/* The line of this key; of a list that with this value. */
static struct line *find_line(struct proposal *p, const struct key *k, const char *value)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->lines[i].key == k &&
		    (!k->type->is_list || !strcmp(p->lines[i].value, value)))
			return &p->lines[i];
	return NULL;
}

static bool is_wider(const struct proposal *p, const struct key *k, const struct profile *q,
		     const char *than)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(profile_freep) struct profile *other = than ? with_line(p->base, k, than, &error)
							      : NULL;

	return key_exceeds(k, q, other ? other : p->base, NULL);
}

static bool may_be(struct proposal *p, const struct key *k, const char *value,
		   const struct profile *q)
{
	_cleanup_free_ char *why = NULL, *text = NULL;

	_cleanup_(error_freep) struct error *never = NULL;

	if (!strcmp(k->section, "Bus") && check_bus_value(q, k->name, value, &never) < 0) {
		text = xasprintf("No application should need it: [Bus] %s=%s", k->name, value);
		note(p, text);
		return false;
	}
	if (!p->limit || !p->limit->allows || p->limit->allows(p->limit->user, q, &why))
		return true;
	text = xasprintf("[%s] %s=%s is forbidden: %s", k->section, k->name, value,
			 why ? why : "the ceiling does not allow it");
	note(p, text);
	return false;
}

static void add_line(struct proposal *p, const struct key *k, char *value,
		     const struct learn_event *e)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *owned = value, *text = NULL;
	_cleanup_(profile_freep) struct profile *q = with_line(p->base, k, value, &error);
	struct line *line = find_line(p, k, value);

	if (!q) {
		text = xasprintf("[%s] %s=%s: %s", k->section, k->name, value, error->message);
		note(p, text);
		return;
	}
	if (!is_wider(p, k, q, NULL) || (line && !is_wider(p, k, q, line->value)) ||
	    !may_be(p, k, value, q))
		return;
	if (!line) {
		p->lines = xreallocarray(p->lines, p->n + 1, sizeof *p->lines);
		line = &p->lines[p->n++];
		*line = (struct line){ .key = k };
	}
	free(line->value);
	free(line->event);
	line->value = TAKE_PTR(owned);
	line->event = learn_event_describe(e);
}

/* What is not proposed, and what to look at. */
static void add_notes(struct proposal *p, const struct learn_event *e)
{
	_cleanup_free_ char *what = learn_event_describe(e), *text = NULL;
	bool asks_bus = (e->kind == LEARN_CONNECT && e->missing && ends_with(e->target, "/bus")) ||
			(e->kind == LEARN_EXECUTE && ends_with(e->target, "/dbus-launch"));

	/* Everybody tries clone3, and falls back. */
	if (e->kind == LEARN_CALL && (!strcmp(e->call, "clone3") || makes_user_namespace(e)))
		return;
	if (e->kind == LEARN_CALL && e->denied)
		text = xasprintf("No application should need it: %s", what);
	else if (e->kind == LEARN_CALL && is_dispensable(e->call))
		text = xasprintf("Programs do without it: %s", what);
	else if (asks_bus || e->kind == LEARN_BUS_LOOK)
		text = xasprintf("For names on a session bus see [Bus] in vitrine.profile(5): %s",
				 what);
	else if (e->kind == LEARN_LOST)
		text = xstrdup("More happened than was recorded: use this, and learn again.");
	if (text)
		note(p, text);
}

static void take_event(struct proposal *p, const struct learn_event *e)
{
	for (size_t i = 0; i < ARRAY_SIZE(needs); i++) {
		const struct key *k = key_find(needs[i].section, needs[i].key);
		char *value = needs[i].value(e, p->base);

		if (value && k)
			add_line(p, k, value, e);
		else
			free(value);
	}
	add_notes(p, e);
}

/* In the order of the key table, sections together. */
static char *render(const struct proposal *p)
{
	_cleanup_buf_ struct buf out = { 0 };
	const char *section = NULL;

	buf_addf(&out, "# What '%s' was seen to need. Written by vitrine profile learn.\n",
		 p->base->name);
	for (size_t k = 0; k < key_count(); k++) {
		for (size_t i = 0; i < p->n; i++) {
			const struct line *line = &p->lines[i];

			if (line->key != key_at(k))
				continue;
			if (!section || strcmp(section, line->key->section))
				buf_addf(&out, "\n[%s]\n", line->key->section);
			section = line->key->section;
			buf_addf(&out, "# %s\n%s=%s\n", line->event, line->key->name, line->value);
		}
	}
	if (p->notes)
		buf_adds(&out, "\n# Not proposed:\n");
	for (char **text = p->notes; text && *text; text++)
		buf_addf(&out, "# %s\n", *text);
	return buf_take(&out);
}

int learn_propose(const struct profile *base, const struct learn_events *events,
		  const struct learn_limit *limit, char **ret, size_t *ret_lines,
		  struct error **err)
{
	_cleanup_(proposal_release) struct proposal p = { .base = base, .limit = limit };
	_cleanup_(profile_freep) struct profile *all = copy(base);
	_cleanup_free_ char *text = NULL;
	int r;

	for (size_t i = 0; i < events->n; i++)
		take_event(&p, &events->list[i]);
	text = render(&p);
	if (!all)
		return error_set(err, EINVAL, "profile '%s' does not read back", base->name);
	r = profile_add(all, text, strlen(text), "what was learned", err);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(text);
	*ret_lines = p.n;
	return 0;
}
