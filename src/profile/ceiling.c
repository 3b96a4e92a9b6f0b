#include "profile/ceiling.h"

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "profile/ceiling-rule.h"
#include "profile/copy.h"
#include "profile/order.h"

#define SHOWN_MAX 3U /* values of a list that a message shows */

struct ceiling {
	struct ceiling_rule *rules[CEILING_RULES_MAX];
	size_t n;
};

struct ceiling *ceiling_new(void)
{
	return xcalloc(1, sizeof(struct ceiling));
}

struct ceiling *ceiling_free(struct ceiling *c)
{
	if (!c)
		return NULL;
	for (size_t i = 0; i < c->n; i++)
		ceiling_rule_free(c->rules[i]);
	free(c);
	return NULL;
}

int ceiling_add(struct ceiling *c, const char *text, size_t size, const char *file,
		struct error **err)
{
	int r;

	if (c->n == CEILING_RULES_MAX)
		return error_set(err, E2BIG, "%s: more than %u rules", file, CEILING_RULES_MAX);
	r = ceiling_rule_read(text, size, file, &c->rules[c->n], err);
	if (r < 0)
		return r;
	c->n++;
	return 0;
}

/* --- whom a rule binds ---------------------------------------------------------- */

static bool any_of(char *const *wanted, char *const *has)
{
	for (; has && *has; has++)
		if (strv_contains(wanted, *has))
			return true;
	return false;
}

static bool binds_user(const struct ceiling_rule *r, const struct ceiling_subject *s)
{
	_cleanup_free_ char *number = xasprintf("%u", s->uid);

	if (r->users && !strv_contains(r->users, s->user) && !strv_contains(r->users, number))
		return false;
	return !r->groups || any_of(r->groups, s->groups);
}

/* A profile by another name does not escape what binds the one that it inherits from. */
static bool binds(const struct ceiling_rule *r, const struct ceiling_subject *s,
		  const struct profile *p)
{
	if (r->profiles && !strv_contains(r->profiles, p->name) && !any_of(r->profiles, p->parents))
		return false;
	return binds_user(r, s);
}

size_t ceiling_count(const struct ceiling *c)
{
	return c->n;
}

size_t ceiling_count_binding(const struct ceiling *c, const struct ceiling_subject *s)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += binds_user(c->rules[i], s);
	return n;
}

/* --- paths ------------------------------------------------------------------------ */

static char *absolute(const struct ceiling_subject *s, const char *path)
{
	return *path == '~' ? xasprintf("%s%s", s->home, path + 1) : xstrdup(path);
}

/* Does a path of the rule's list, as it lies for this user, cover this one? */
static bool covers(const struct ceiling_subject *s, char *const *list, const char *path)
{
	for (; list && *list; list++) {
		_cleanup_free_ char *above = absolute(s, *list);

		if (host_path_covers(above, path))
			return true;
	}
	return false;
}

static char *const *list_of(const struct profile *p, size_t offset)
{
	return *(char *const *const *)((const char *)p + offset);
}

/* As key_exceeds(), of where the paths lead. */
static bool paths_exceed(const struct key *k, const struct ceiling_subject *s,
			 const struct profile *p, const struct profile *limits, struct buf *what)
{
	for (char *const *value = list_of(p, k->offset); value && *value; value++) {
		_cleanup_free_ char *path = s->resolve(s->data, *value);

		if (covers(s, list_of(limits, k->offset), path) ||
		    covers(s, list_of(limits, k->covered_by), path))
			continue;
		buf_addf(what, "%s=%s\n", k->name, *value);
		return true;
	}
	return false;
}

/* --- limits ----------------------------------------------------------------------- */

/* What the rule allows, in words. */
static char *allowed(const struct ceiling_rule *r, const struct key *k)
{
	_cleanup_buf_ struct buf lines = { 0 }, text = { 0 };
	size_t n = 0;
	char *state, *line;

	k->type->write(k, key_value(k, r->limits), &lines);
	if (!lines.size)
		return xstrdup("nothing");
	for (line = strtok_r(lines.data, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		if (n++ < SHOWN_MAX)
			buf_addf(&text, "%s%s", n > 1 ? ", " : "", line + strlen(k->name) + 1);
	if (n > SHOWN_MAX)
		buf_addf(&text, " and %zu more", n - SHOWN_MAX);
	return buf_take(&text);
}

static int refuse(const struct ceiling_rule *r, const struct key *k, const struct profile *p,
		  struct buf *what, struct error **err)
{
	const struct profile_origin *origin = &p->origins[key_index(k)];
	_cleanup_free_ char *rule = ceiling_rule_place(r, k), *most = allowed(r, k);
	_cleanup_free_ char *line = origin->line ? xasprintf(":%u", origin->line) : xstrdup("");
	const char *value = what->data ? what->data : k->name;
	bool least = k->order == ORDER_LESS || k->order == ORDER_HOST;

	return error_set(err, EPERM, "%s%s: [%s] %.*s is above the ceiling: %s %s %s%s",
			 origin->file, line, k->section, (int)strcspn(value, "\n"), value, rule,
			 least ? "wants" : "allows", most, least ? "" : " at most");
}

/* What must be taken away from every sandbox, whatever the profile says. */
static int add_missing(const struct key *k, struct profile *p, const struct profile *limits,
		       struct error **err)
{
	for (char *const *value = list_of(limits, k->offset); value && *value; value++) {
		int r = 0;

		if (!strv_contains(list_of(p, k->offset), *value))
			r = k->type->read(k, key_field(k, p), *value, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static void narrow(const struct key *k, struct profile *p, const struct profile *limits)
{
	unsigned of_p, of_limits;

	if (k->order != ORDER_FLAGS) {
		key_copy(k, p, limits);
		return;
	}
	memcpy(&of_p, key_value(k, p), sizeof of_p);
	memcpy(&of_limits, key_value(k, limits), sizeof of_limits);
	of_p &= of_limits;
	memcpy(key_field(k, p), &of_p, sizeof of_p);
}

static int bind_key(const struct ceiling_rule *r, const struct ceiling_subject *s,
		    const struct key *k, struct profile *p, struct error **err)
{
	_cleanup_buf_ struct buf what = { 0 };
	bool exceeds = k->order == ORDER_PATHS ? paths_exceed(k, s, p, r->limits, &what)
					       : key_exceeds(k, p, r->limits, &what);

	if (!exceeds)
		return 0;
	if (k->order == ORDER_SET_LESS)
		return add_missing(k, p, r->limits, err);
	if (p->origins[key_index(k)].file)
		return refuse(r, k, p, &what, err);
	narrow(k, p, r->limits);
	return 0;
}

int ceiling_apply(const struct ceiling *c, const struct ceiling_subject *s, struct profile *p,
		  struct error **err)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct ceiling_rule *rule = c->rules[i];

		if (!binds(rule, s, p))
			continue;
		for (size_t j = 0; j < key_count(); j++) {
			const struct key *k = key_at(j);
			int r = ceiling_rule_limits(rule, k) ? bind_key(rule, s, k, p, err) : 0;

			if (r < 0)
				return r;
		}
	}
	return 0;
}

/* --- what is given ----------------------------------------------------------------- */

static int refuse_given(const struct ceiling_rule *r, const struct key *k, const char *path,
			bool writable, const char *where, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(path, strlen(path));
	_cleanup_free_ char *rule = ceiling_rule_place(r, k);

	return error_set(err, EPERM, "'%s' is above the ceiling: %s lets nothing be given%s%s",
			 shown, rule, writable ? " for writing" : "", where);
}

static int check_asked(const struct ceiling_rule *r, const char *path, bool writable,
		       struct error **err)
{
	const struct key *k = key_find("Files", "Arguments");
	enum file_arguments most = r->limits->file_arguments;

	if (!ceiling_rule_limits(r, k) || most == FILE_ARGUMENTS_READ_WRITE ||
	    (most == FILE_ARGUMENTS_READ_ONLY && !writable))
		return 0;
	return refuse_given(r, k, path, most == FILE_ARGUMENTS_READ_ONLY, "", err);
}

static int check_place(const struct ceiling_rule *r, const struct ceiling_subject *s,
		       const char *path, bool writable, struct error **err)
{
	const struct key *k = key_find("Files", writable ? "ReadWrite" : "ReadOnly");

	if (!ceiling_rule_limits(r, k) || covers(s, list_of(r->limits, k->offset), path) ||
	    covers(s, list_of(r->limits, k->covered_by), path))
		return 0;
	return refuse_given(r, k, path, writable, " from there", err);
}

int ceiling_check_given(const struct ceiling *c, const struct ceiling_subject *s,
			const struct profile *p, const char *path, bool writable, bool asked,
			struct error **err)
{
	for (size_t i = 0; i < c->n; i++) {
		int r = 0;

		if (!binds(c->rules[i], s, p))
			continue;
		if (asked)
			r = check_asked(c->rules[i], path, writable, err);
		if (r >= 0)
			r = check_place(c->rules[i], s, path, writable, err);
		if (r < 0)
			return r;
	}
	return 0;
}
