#include "profile/ceiling-rule.h"

#include <string.h>

#include "base/ini.h"
#include "base/strv.h"
#include "base/text.h"

#define MATCH	  "Match"
#define QUOTE_MAX 64 /* bytes of a value that a message shows */

struct reader {
	struct ceiling_rule *rule;
	bool limits; /* a section of limits has begun */
	bool seen[KEYS_MAX];
};

/* A user or group, by name or number: as the databases have them, which allow nearly everything. */
static bool is_account(const char *s)
{
	return *s && strlen(s) < 256 && !strpbrk(s, " \t:,*?!");
}

static int set_match(struct ceiling_rule *rule, const struct ini_entry *e, struct error **err)
{
	const struct {
		const char *key;
		char ***list;
		bool (*is_valid)(const char *s);
		const char *expected;
	} rows[] = {
		{ "Profile", &rule->profiles, name_is_valid, "the name of a profile" },
		{ "User", &rule->users, is_account, "the name or number of a user" },
		{ "Group", &rule->groups, is_account, "the name or number of a group" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *shown = NULL;

		if (strcmp(rows[i].key, e->key) != 0)
			continue;
		shown = text_escape(e->value, QUOTE_MAX);
		if (!rows[i].is_valid(e->value))
			return error_set(err, EINVAL, "%s= must be %s, not '%s'", e->key,
					 rows[i].expected, shown);
		if (strv_length(*rows[i].list) == PROFILE_LIST_MAX)
			return error_set(err, E2BIG, "more than %u values of %s=", PROFILE_LIST_MAX,
					 e->key);
		strv_add(rows[i].list, e->value);
		return 0;
	}
	return error_set(err, EINVAL,
			 "unknown key %s= in [" MATCH "]: there are Profile=, User= "
			 "and Group=",
			 e->key);
}

/* What the settings of a user can move is no limit for him. */
static int check_path(const struct key *k, const char *value, struct error **err)
{
	if (k->order != ORDER_PATHS || *value != '%')
		return 0;
	return error_set(err, EINVAL,
			 "%s= of a rule must begin with '/' or '~/': settings of the "
			 "user decide where '%.2s' lies",
			 k->name, value);
}

static int check_key(const struct reader *reader, const struct key *k, const char *value,
		     struct error **err)
{
	if (key_is_supported(k) && k->order == ORDER_NONE)
		return error_set(err, EINVAL,
				 "%s= says nothing about rights: a rule cannot limit it", k->name);
	if (reader->seen[key_index(k)] && !k->type->is_list)
		return error_set(err, EINVAL, "%s= is given twice", k->name);
	if (!*value && key_is_supported(k) && !k->type->is_list)
		return error_set(err, EINVAL, "%s= of a rule needs a value", k->name);
	return check_path(k, value, err);
}

static int set_limit(struct reader *reader, const struct ini_entry *e, struct error **err)
{
	struct profile *limits = reader->rule->limits;
	const struct key *k = key_find(e->section, e->key);
	int r;

	if (!k)
		return key_refuse(e->section, e->key, err);
	r = check_key(reader, k, e->value, err);
	if (r < 0)
		return r;
	r = k->type->read(k, key_field(k, limits), e->value, err);
	if (r < 0)
		return r;
	reader->seen[key_index(k)] = true;
	limits->origins[key_index(k)] = (struct profile_origin){ .file = *limits->files,
								 .line = e->line };
	return 0;
}

static int set_key(void *user, const struct ini_entry *e, struct error **err)
{
	struct reader *reader = user;

	if (!strcmp(e->section, MATCH)) {
		if (reader->limits)
			return error_set(err, EINVAL, "[" MATCH "] must come first");
		return e->key ? set_match(reader->rule, e, err) : 0;
	}
	reader->limits = true;
	return e->key ? set_limit(reader, e, err) : section_check(e->section, err);
}

static void limit_what_covers(struct profile *limits, const struct key *k);

static bool has_covering(const struct key *k)
{
	return k->order == ORDER_PATHS || k->order == ORDER_NAMES;
}

/* That, and what covers it again. */
static void limit_as(struct profile *limits, const struct key *k, const struct key *covered)
{
	struct profile_origin *origin = &limits->origins[key_index(k)];

	if (origin->file)
		return;
	*origin = limits->origins[key_index(covered)];
	limit_what_covers(limits, k);
}

/* Whoever limits what can be read means what can be read and written, too; and whoever limits what
 * can be called of a name, means talk and a name of one's own. */
static void limit_what_covers(struct profile *limits, const struct key *k)
{
	for (size_t i = 0; i < key_count(); i++)
		if (has_covering(key_at(i)) && key_at(i)->offset == k->covered_by)
			limit_as(limits, key_at(i), k);
}

static void limit_covering(struct profile *limits)
{
	for (size_t i = 0; i < key_count(); i++)
		if (has_covering(key_at(i)) && limits->origins[i].file)
			limit_what_covers(limits, key_at(i));
}

int ceiling_rule_read(const char *text, size_t size, const char *file, struct ceiling_rule **ret,
		      struct error **err)
{
	struct reader reader = { .rule = xcalloc(1, sizeof *reader.rule) };
	struct profile *limits = profile_new("rule");
	int r;

	reader.rule->limits = limits;
	strv_add(&limits->files, file);
	r = ini_read(text, size, file, set_key, &reader, err);
	if (r < 0) {
		ceiling_rule_free(reader.rule);
		return r;
	}
	limit_covering(limits);
	*ret = reader.rule;
	return 0;
}

struct ceiling_rule *ceiling_rule_free(struct ceiling_rule *r)
{
	if (!r)
		return NULL;
	strv_free(r->profiles);
	strv_free(r->users);
	strv_free(r->groups);
	profile_free(r->limits);
	free(r);
	return NULL;
}

bool ceiling_rule_limits(const struct ceiling_rule *r, const struct key *k)
{
	return r->limits->origins[key_index(k)].file;
}

char *ceiling_rule_place(const struct ceiling_rule *r, const struct key *k)
{
	const struct profile_origin *origin = &r->limits->origins[key_index(k)];

	return xasprintf("%s:%u", origin->file, origin->line);
}
