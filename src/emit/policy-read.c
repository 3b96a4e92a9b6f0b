#include "emit/policy-read.h"

#include <string.h>

#include "base/strv.h"
#include "base/text.h"
#include "emit/policy-words.h"

/* One file, and the one that includes it. */
struct place {
	const struct place *above;
	const char *file; /* of the policy */
	unsigned line;
	struct policy_set *set; /* that is being read; of the policy */
};

struct reader {
	struct policy *policy;
	const struct policy_files *files;
	unsigned includes;
	bool has_answer, has_abi;
};

/* What follows the name or names. */
static int read_rest(struct words *l, struct policy_rule *r, struct error **err)
{
	int e = words_read_errno(l, r, err);

	if (e < 0)
		return e;
	r->optional = words_next_is(l, "optional");
	return words_at_end(l, err);
}

static bool is_more(const struct words *l)
{
	return l->next < l->n && strcmp(l->words[l->next], "errno") &&
	       strcmp(l->words[l->next], "optional");
}

static struct policy_rule new_rule(const struct place *at, bool allow)
{
	return (struct policy_rule){
		.allow = allow,
		.error = allow ? 0 : POLICY_ERRNO,
		.file = at->file,
		.line = at->line,
	};
}

/* --- statements --------------------------------------------------------------------------------
 */

static int add_rule(struct reader *reader, const struct place *at, const struct policy_rule *r,
		    struct error **err)
{
	struct policy_set *set = at->set;

	if (!set)
		return policy_add_rule(reader->policy, r, err);
	if (set->never && r->allow)
		return error_set(err, EINVAL, "a set that is marked 'never' allows nothing");

	/* A set has the limits and the checks of a policy. */
	struct policy rules = { .rules = set->rules, .n_rules = set->n_rules };
	int e = policy_add_rule(&rules, r, err);

	set->rules = rules.rules;
	set->n_rules = rules.n_rules;
	return e;
}

static int read_set_denial(struct reader *reader, const struct place *at, struct words *l,
			   struct error **err)
{
	struct policy_rule form = new_rule(at, false);
	const struct policy_set *set;
	int e;

	if (at->set)
		return error_set(err, EINVAL, "a set is made of calls, not of sets");
	e = words_read_set(words_next(l), form.name, err);
	if (e >= 0)
		e = words_read_errno(l, &form, err);
	if (e >= 0)
		e = words_at_end(l, err);
	if (e < 0)
		return e;
	set = policy_find_set(reader->policy, form.name, err);
	return set ? policy_deny_set(reader->policy, set, form.error, err) : -ENOENT;
}

static int read_calls(struct reader *reader, const struct place *at, struct words *l, bool allow,
		      struct error **err)
{
	struct policy_rule r = new_rule(at, allow);
	size_t first = l->next, argument;
	int e;

	e = words_read_call(words_next(l), r.name, err);
	if (e < 0)
		return e;
	if (l->next < l->n && words_is_argument(l->words[l->next], &argument)) {
		e = words_read_conditions(l, &r, err);
		if (e >= 0)
			e = read_rest(l, &r, err);
		return e < 0 ? e : add_rule(reader, at, &r, err);
	}
	while (is_more(l)) {
		if (words_is_argument(l->words[l->next], &argument))
			return error_set(err, EINVAL, "conditions are for one call alone");
		e = words_read_call(words_next(l), r.name, err);
		if (e < 0)
			return e;
	}

	size_t end = l->next;

	e = read_rest(l, &r, err);
	for (size_t i = first; i < end && e >= 0; i++) {
		e = words_read_call(l->words[i], r.name, err);
		if (e >= 0)
			e = add_rule(reader, at, &r, err);
	}
	return e;
}

static int read_allow(struct reader *reader, struct place *at, struct words *l, struct error **err)
{
	if (l->next < l->n && *l->words[l->next] == '@')
		return words_refuse(err, "sets are taken with 'use'", l->words[l->next]);
	return read_calls(reader, at, l, true, err);
}

static int read_deny(struct reader *reader, struct place *at, struct words *l, struct error **err)
{
	if (l->next < l->n && *l->words[l->next] == '@')
		return read_set_denial(reader, at, l, err);
	return read_calls(reader, at, l, false, err);
}

static int read_set(struct reader *reader, struct place *at, struct words *l, struct error **err)
{
	struct policy *p = reader->policy;
	struct policy_set set = { .line = at->line };
	int e;

	if (at->set)
		return error_set(err, EINVAL, "'end' is missing, of the set in line %u",
				 at->set->line);
	e = words_read_set(words_next(l), set.name, err);
	if (e < 0)
		return e;
	set.never = words_next_is(l, "never");
	e = words_at_end(l, err);
	if (e < 0)
		return e;
	for (size_t i = 0; i < p->n_sets; i++)
		if (!strcmp(p->sets[i].name, set.name))
			return error_set(err, EEXIST, "there is a set '%s'", set.name);
	if (p->n_sets == POLICY_SETS_MAX)
		return error_set(err, E2BIG, "more than %u sets", POLICY_SETS_MAX);
	p->sets = xreallocarray(p->sets, p->n_sets + 1, sizeof *p->sets);
	p->sets[p->n_sets] = set;
	at->set = &p->sets[p->n_sets++];
	return 0;
}

static int read_end(struct reader *reader, struct place *at, struct words *l, struct error **err)
{
	(void)reader;
	if (!at->set)
		return error_set(err, EINVAL, "'end' without a set");
	if (!at->set->n_rules)
		return error_set(err, EINVAL, "the set '%s' is empty", at->set->name);
	at->set = NULL;
	return words_at_end(l, err);
}

static int read_use(struct reader *reader, struct place *at, struct words *l, struct error **err)
{
	char name[POLICY_NAME_MAX + 1];
	const struct policy_set *set;
	int e;

	if (at->set)
		return error_set(err, EINVAL, "a set is made of calls, not of sets");
	e = words_read_set(words_next(l), name, err);
	if (e >= 0)
		e = words_at_end(l, err);
	if (e < 0)
		return e;
	set = policy_find_set(reader->policy, name, err);
	return set ? policy_use_set(reader->policy, set, err) : -ENOENT;
}

static int read_answer(struct reader *reader, struct place *at, struct words *l, struct error **err)
{
	const char *word = words_next(l);

	(void)at;
	if (policy_answer_from_string(word, &reader->policy->answer) < 0)
		return words_refuse(err, "not one of errno, kill, log", word);
	if (reader->has_answer)
		return error_set(err, EEXIST, "a second answer");
	reader->has_answer = true;
	return words_at_end(l, err);
}

static int read_abi(struct reader *reader, struct place *at, struct words *l, struct error **err)
{
	static const char *const abis[] = { "native", "i386" };
	const char *word = words_next(l);
	int i = words_find(abis, ARRAY_SIZE(abis), word);

	(void)at;
	if (i < 0)
		return words_refuse(err, "not one of native, i386", word);
	if (reader->has_abi)
		return error_set(err, EEXIST, "a second ABI");
	reader->has_abi = true;
	reader->policy->i386 = i == 1;
	return words_at_end(l, err);
}

static int read_include(struct reader *reader, struct place *at, struct words *l,
			struct error **err);

/* --- lines and files ---------------------------------------------------------------------------
 */

static int read_statement(struct reader *reader, struct place *at, struct words *l,
			  struct error **err)
{
	static const struct {
		const char *word;
		int (*read)(struct reader *reader, struct place *at, struct words *l,
			    struct error **err);
	} statements[] = {
		{ "allow", read_allow }, { "deny", read_deny },	    { "use", read_use },
		{ "set", read_set },	 { "end", read_end },	    { "include", read_include },
		{ "abi", read_abi },	 { "answer", read_answer },
	};
	const char *word = words_next(l);

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		if (!strcmp(statements[i].word, word))
			return statements[i].read(reader, at, l, err);
	return words_refuse(err, "not one of allow, deny, use, set, end, include, answer, abi",
			    word);
}

static int read_line(struct reader *reader, struct place *at, const char *start, size_t n,
		     struct error **err)
{
	_cleanup_free_ char *text = NULL;
	struct words words = { 0 };
	int r;

	if (n > POLICY_LINE_MAX)
		return error_set(err, E2BIG, "line longer than %u bytes", POLICY_LINE_MAX);
	if (memchr(start, '\0', n))
		return error_set(err, EINVAL, "NUL byte");
	text = xstrndup(start, n);
	if (!text_is_clean(text))
		return words_refuse(err, "control character or invalid UTF-8", text);
	r = words_split(text, &words, err);
	if (r < 0)
		return r;
	if (words.n == 0 || *words.words[0] == '#')
		return 0;
	return read_statement(reader, at, &words, err);
}

static int read_text(struct reader *reader, struct place *at, const char *text, const char *end,
		     struct error **err)
{
	if (end - text > (ptrdiff_t)POLICY_FILE_MAX)
		return error_set(err, EFBIG, "%s: larger than %u bytes", at->file, POLICY_FILE_MAX);
	for (at->line = 1; text < end; at->line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		int r = read_line(reader, at, text, (size_t)((stop ? stop : end) - text), err);

		if (r < 0)
			return error_prefix(err, "%s:%u", at->file, at->line);
		text = stop ? stop + 1 : end;
	}
	if (at->set)
		return error_set(err, EINVAL, "%s:%u: 'end' is missing", at->file, at->set->line);
	return 0;
}

static const char *keep_name(struct policy *p, const char *name)
{
	strv_add(&p->files, name);
	return p->files[strv_length(p->files) - 1];
}

static int check_place(const struct reader *reader, const struct place *at, const char *name,
		       struct error **err)
{
	unsigned depth = 1;

	for (const struct place *above = at; above; above = above->above) {
		if (!strcmp(above->file, name))
			return error_set(err, ELOOP, "'%s' includes itself", name);
		depth++;
	}
	if (depth > POLICY_DEPTH_MAX)
		return error_set(err, E2BIG, "files include each other more than %u deep",
				 POLICY_DEPTH_MAX);
	if (reader->includes > POLICY_INCLUDES_MAX)
		return error_set(err, E2BIG, "more than %u files", POLICY_INCLUDES_MAX);
	return 0;
}

static int read_include(struct reader *reader, struct place *at, struct words *l,
			struct error **err)
{
	_cleanup_free_ char *text = NULL, *file = NULL;
	const char *name = words_next(l);
	struct place place = { .above = at };
	size_t size;
	int r;

	if (at->set)
		return error_set(err, EINVAL, "a set is made of calls, not of files");
	if (!name || !name_is_valid(name))
		return words_refuse(err, "not the name of a policy", name);
	r = words_at_end(l, err);
	if (r < 0)
		return r;
	if (!reader->files)
		return error_set(err, EINVAL, "nothing can be included here");
	file = xasprintf("%s.policy", name);
	reader->includes++;
	r = check_place(reader, at, file, err);
	if (r >= 0)
		r = reader->files->read(reader->files->user, name, &text, &size, err);
	if (r < 0)
		return r;
	place.file = keep_name(reader->policy, file);
	return read_text(reader, &place, text, text + size, err);
}

int policy_read(const char *text, size_t size, const char *file, const struct policy_files *files,
		struct policy **ret, struct error **err)
{
	_cleanup_(policy_freep) struct policy *p = xcalloc(1, sizeof *p);
	struct reader reader = { .policy = p, .files = files, .includes = 1 };
	struct place place = { .file = keep_name(p, file) };
	int r;

	r = read_text(&reader, &place, text, text + size, err);
	if (r < 0)
		return r;
	/* Nothing said is not "everything allowed". */
	if (!p->n_rules)
		return error_set(err, EINVAL, "%s: no rule", file);
	*ret = TAKE_PTR(p);
	return 0;
}
