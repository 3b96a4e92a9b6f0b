#include "emit/policy.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"

#define QUOTE_MAX 64 /* bytes of a word that a message shows */
#define WORDS_MAX (4U + 3U * POLICY_ARGS)

struct reader {
	struct policy *policy;
	unsigned line;
};

/* The words of one line, cut in place. */
struct line {
	char *words[WORDS_MAX + 1];
	size_t n;
	size_t next;
};

static int refuse(struct error **err, const char *what, const char *word)
{
	_cleanup_free_ char *shown = text_escape(word ? word : "", QUOTE_MAX);

	return error_set(err, EINVAL, "%s: '%s'", what, shown);
}

static const char *next_word(struct line *l)
{
	return l->next < l->n ? l->words[l->next++] : NULL;
}

static bool next_is(struct line *l, const char *word)
{
	if (l->next == l->n || strcmp(l->words[l->next], word))
		return false;
	l->next++;
	return true;
}

static int read_name(struct line *l, struct policy_rule *r, struct error **err)
{
	const char *word = next_word(l);
	size_t n = word ? strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

	if (!n || word[n] || n > POLICY_NAME_MAX)
		return refuse(err, "not the name of a system call", word);
	memcpy(r->name, word, n);
	return 0;
}

/* "argN", N a digit. */
static bool is_argument(const char *word, size_t *ret)
{
	if (strncmp(word, "arg", 3) || !isdigit((unsigned char)word[3]) || word[4])
		return false;
	*ret = (size_t)(word[3] - '0');
	return true;
}

static int read_operator(const char *word, enum policy_operator *ret, struct error **err)
{
	static const char *const names[] = {
		[POLICY_EQ] = "eq",   [POLICY_GT] = "gt",     [POLICY_LT] = "lt",
		[POLICY_LOW] = "low", [POLICY_BITS] = "bits",
	};

	for (size_t i = 0; word && i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], word))
			continue;
		*ret = (enum policy_operator)i;
		return 0;
	}
	return refuse(err, "not one of eq, gt, lt, low, bits", word);
}

/* Decimal, or hexadecimal after 0x. */
static int read_value(const char *word, uint64_t *ret, struct error **err)
{
	uint64_t value = 0;

	if (!word || strncmp(word, "0x", 2))
		return word && parse_u64(word, ret) == 0 ? 0 : refuse(err, "not a number", word);
	if (!word[2] || strlen(word + 2) > 16 ||
	    strspn(word + 2, "0123456789abcdef") != strlen(word + 2))
		return refuse(err, "not a number", word);
	for (const char *s = word + 2; *s; s++)
		value = value << 4 |
			(uint64_t)(isdigit((unsigned char)*s) ? *s - '0' : *s - 'a' + 10);
	*ret = value;
	return 0;
}

static int read_condition(struct line *l, size_t argument, struct policy_rule *r,
			  struct error **err)
{
	struct policy_condition *c;
	int e;

	if (argument >= POLICY_ARGS)
		return error_set(err, EINVAL, "a system call has arguments 0 to %u",
				 POLICY_ARGS - 1);
	if (r->has_condition[argument])
		return error_set(err, EINVAL, "two conditions for argument %zu", argument);
	r->has_condition[argument] = true;
	c = &r->conditions[argument];
	e = read_operator(next_word(l), &c->how, err);
	if (e < 0)
		return e;
	e = read_value(next_word(l), &c->value, err);
	if (e < 0)
		return e;
	if (c->how == POLICY_LOW && c->value > UINT32_MAX)
		return error_set(err, ERANGE, "'low' compares 32 bits");
	if (c->how == POLICY_BITS && c->value == 0)
		return error_set(err, EINVAL, "'bits' needs at least one bit");
	return 0;
}

static int read_errno(struct line *l, struct policy_rule *r, struct error **err)
{
	static const struct {
		const char *name;
		int value;
	} errors[] = {
		{ "EACCES", EACCES }, { "EAFNOSUPPORT", EAFNOSUPPORT },
		{ "EINVAL", EINVAL }, { "ENOSYS", ENOSYS },
		{ "EPERM", EPERM },
	};
	const char *word = next_word(l);

	for (size_t i = 0; word && i < ARRAY_SIZE(errors); i++) {
		if (strcmp(errors[i].name, word))
			continue;
		r->error = errors[i].value;
		return 0;
	}
	return refuse(err, "not an error that a rule can give", word);
}

static int read_rule(struct line *l, struct policy_rule *r, struct error **err)
{
	size_t argument;
	int e;

	r->allow = next_is(l, "allow");
	if (!r->allow && !next_is(l, "deny"))
		return refuse(err, "neither 'allow' nor 'deny'", l->words[0]);
	r->error = r->allow ? 0 : POLICY_ERRNO;
	e = read_name(l, r, err);
	if (e < 0)
		return e;
	while (l->next < l->n && is_argument(l->words[l->next], &argument)) {
		l->next++;
		e = read_condition(l, argument, r, err);
		if (e < 0)
			return e;
	}
	if (!r->allow && next_is(l, "errno")) {
		e = read_errno(l, r, err);
		if (e < 0)
			return e;
	}
	r->optional = next_is(l, "optional");
	return l->next == l->n ? 0 : refuse(err, "unexpected word", l->words[l->next]);
}

bool policy_rule_has_conditions(const struct policy_rule *r)
{
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (r->has_condition[i])
			return true;
	return false;
}

static bool same_conditions(const struct policy_rule *a, const struct policy_rule *b)
{
	for (size_t i = 0; i < POLICY_ARGS; i++)
		if (a->has_condition[i] != b->has_condition[i] ||
		    a->conditions[i].how != b->conditions[i].how ||
		    a->conditions[i].value != b->conditions[i].value)
			return false;
	return true;
}

/* Two rules of one call that say the same or the opposite; or where one says all, and the other a
 * part of it. Exceptions from `allow NAME` are what `deny NAME argN ...` is for. */
static bool clashes(const struct policy_rule *a, const struct policy_rule *b)
{
	bool all = !policy_rule_has_conditions(a) || !policy_rule_has_conditions(b);

	if (strcmp(a->name, b->name))
		return false;
	return same_conditions(a, b) || (all && a->allow == b->allow);
}

static int add_rule(struct policy *p, const struct policy_rule *r, struct error **err)
{
	if (p->n_rules == POLICY_RULES_MAX)
		return error_set(err, E2BIG, "more than %u rules", POLICY_RULES_MAX);
	for (size_t i = 0; i < p->n_rules; i++)
		if (clashes(&p->rules[i], r))
			return error_set(err, EEXIST, "'%s' was decided in line %u", r->name,
					 p->rules[i].line);
	p->rules = xreallocarray(p->rules, p->n_rules + 1, sizeof *p->rules);
	p->rules[p->n_rules++] = *r;
	return 0;
}

static int split(char *text, struct line *ret, struct error **err)
{
	char *state, *word;

	for (word = strtok_r(text, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		if (ret->n == WORDS_MAX)
			return error_set(err, E2BIG, "too many words");
		ret->words[ret->n++] = word;
	}
	return 0;
}

static int read_line(struct reader *reader, const char *start, size_t n, struct error **err)
{
	struct policy_rule rule = { .line = reader->line };
	_cleanup_free_ char *text = NULL;
	struct line line = { 0 };
	int r;

	if (n > POLICY_LINE_MAX)
		return error_set(err, E2BIG, "line longer than %u bytes", POLICY_LINE_MAX);
	if (memchr(start, '\0', n))
		return error_set(err, EINVAL, "NUL byte");
	text = xstrndup(start, n);
	if (!text_is_clean(text))
		return refuse(err, "control character or invalid UTF-8", text);
	r = split(text, &line, err);
	if (r < 0)
		return r;
	if (line.n == 0 || *line.words[0] == '#')
		return 0;
	r = read_rule(&line, &rule, err);
	return r < 0 ? r : add_rule(reader->policy, &rule, err);
}

static int read_lines(struct reader *reader, const char *text, const char *end, struct error **err)
{
	for (reader->line = 1; text < end; reader->line++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		int r = read_line(reader, text, (size_t)((stop ? stop : end) - text), err);

		if (r < 0)
			return r;
		text = stop ? stop + 1 : end;
	}
	return 0;
}

int policy_read(const char *text, size_t size, const char *file, struct policy **ret,
		struct error **err)
{
	_cleanup_(policy_freep) struct policy *p = xcalloc(1, sizeof *p);
	struct reader reader = { .policy = p };

	if (size > POLICY_FILE_MAX)
		return error_set(err, EFBIG, "%s: larger than %u bytes", file, POLICY_FILE_MAX);
	if (read_lines(&reader, text, text + size, err) < 0)
		return error_prefix(err, "%s:%u", file, reader.line);
	/* Nothing said is not "everything allowed". */
	if (!p->n_rules)
		return error_set(err, EINVAL, "%s: no rule", file);
	*ret = TAKE_PTR(p);
	return 0;
}

struct policy *policy_free(struct policy *p)
{
	if (p)
		free(p->rules);
	free(p);
	return NULL;
}
