#include "emit/policy-words.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "base/text.h"
#include "emit/policy-read.h"

#define QUOTE_MAX 64 /* bytes of a word that a message shows */

static const char *const operators[] = {
	[POLICY_EQ] = "eq",   [POLICY_GT] = "gt",     [POLICY_LT] = "lt",
	[POLICY_LOW] = "low", [POLICY_BITS] = "bits",
};

static const char *const answers[] = {
	[POLICY_ANSWER_ERRNO] = "errno",
	[POLICY_ANSWER_KILL] = "kill",
	[POLICY_ANSWER_LOG] = "log",
};

static const struct {
	const char *name;
	int value;
} errors[] = {
	{ "EACCES", EACCES }, { "EAFNOSUPPORT", EAFNOSUPPORT },
	{ "EINVAL", EINVAL }, { "ENOSYS", ENOSYS },
	{ "EPERM", EPERM },
};

const char *policy_operator_to_string(enum policy_operator o)
{
	return o < POLICY_OPERATOR_MAX ? operators[o] : NULL;
}

const char *policy_answer_to_string(enum policy_answer a)
{
	return a < POLICY_ANSWER_MAX ? answers[a] : NULL;
}

int policy_answer_from_string(const char *word, enum policy_answer *ret)
{
	int i = words_find(answers, ARRAY_SIZE(answers), word);

	if (i < 0)
		return -EINVAL;
	*ret = (enum policy_answer)i;
	return 0;
}

const char *policy_errno_to_string(int error)
{
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++)
		if (errors[i].value == error)
			return errors[i].name;
	return NULL;
}

int words_refuse(struct error **err, const char *what, const char *word)
{
	_cleanup_free_ char *shown = text_escape(word ? word : "", QUOTE_MAX);

	return error_set(err, EINVAL, "%s: '%s'", what, shown);
}

const char *words_next(struct words *l)
{
	return l->next < l->n ? l->words[l->next++] : NULL;
}

bool words_next_is(struct words *l, const char *word)
{
	if (l->next == l->n || strcmp(l->words[l->next], word))
		return false;
	l->next++;
	return true;
}

int words_at_end(const struct words *l, struct error **err)
{
	return l->next == l->n ? 0 : words_refuse(err, "unexpected word", l->words[l->next]);
}

int words_find(const char *const *table, size_t n, const char *word)
{
	for (size_t i = 0; word && i < n; i++)
		if (!strcmp(table[i], word))
			return (int)i;
	return -ENOENT;
}

int words_split(char *text, struct words *ret, struct error **err)
{
	char *state, *word;

	for (word = strtok_r(text, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		if (ret->n == WORDS_MAX)
			return error_set(err, E2BIG, "too many words");
		ret->words[ret->n++] = word;
	}
	return 0;
}

int words_read_call(const char *word, char *ret, struct error **err)
{
	size_t n = word ? strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;

	if (!n || word[n] || n > POLICY_NAME_MAX || isdigit((unsigned char)*word))
		return words_refuse(err, "not the name of a system call", word);
	memcpy(ret, word, n + 1);
	return 0;
}

int words_read_set(const char *word, char *ret, struct error **err)
{
	if (!word || *word != '@' || !name_is_valid(word + 1) || strlen(word) > POLICY_NAME_MAX)
		return words_refuse(err, "not the name of a set, as in @files", word);
	memcpy(ret, word, strlen(word) + 1);
	return 0;
}

/* "argN", N a digit. */
bool words_is_argument(const char *word, size_t *ret)
{
	if (strncmp(word, "arg", 3) || !isdigit((unsigned char)word[3]) || word[4])
		return false;
	*ret = (size_t)(word[3] - '0');
	return true;
}

/* Decimal, or hexadecimal after 0x. */
static int read_value(const char *word, uint64_t *ret, struct error **err)
{
	uint64_t value = 0;

	if (!word || strncmp(word, "0x", 2))
		return word && parse_u64(word, ret) == 0 ? 0
							 : words_refuse(err, "not a number", word);
	if (!word[2] || strlen(word + 2) > 16 ||
	    strspn(word + 2, "0123456789abcdef") != strlen(word + 2))
		return words_refuse(err, "not a number", word);
	for (const char *s = word + 2; *s; s++)
		value = value << 4 |
			(uint64_t)(isdigit((unsigned char)*s) ? *s - '0' : *s - 'a' + 10);
	*ret = value;
	return 0;
}

static int read_condition(struct words *l, size_t argument, struct policy_rule *r,
			  struct error **err)
{
	struct policy_condition *c;
	const char *word;
	int how;

	if (argument >= POLICY_ARGS)
		return error_set(err, EINVAL, "a system call has arguments 0 to %u",
				 POLICY_ARGS - 1);
	if (r->has_condition[argument])
		return error_set(err, EINVAL, "two conditions for argument %zu", argument);
	word = words_next(l);
	how = words_find(operators, ARRAY_SIZE(operators), word);
	if (how < 0)
		return words_refuse(err, "not one of eq, gt, lt, low, bits", word);
	r->has_condition[argument] = true;
	c = &r->conditions[argument];
	c->how = (enum policy_operator)how;
	how = read_value(words_next(l), &c->value, err);
	if (how < 0)
		return how;
	if (c->how == POLICY_LOW && c->value > UINT32_MAX)
		return error_set(err, ERANGE, "'low' compares 32 bits");
	if (c->how == POLICY_BITS && c->value == 0)
		return error_set(err, EINVAL, "'bits' needs at least one bit");
	return 0;
}

int words_read_conditions(struct words *l, struct policy_rule *r, struct error **err)
{
	size_t argument;
	int e = 0;

	while (e >= 0 && l->next < l->n && words_is_argument(l->words[l->next], &argument)) {
		l->next++;
		e = read_condition(l, argument, r, err);
	}
	return e;
}

int words_read_errno(struct words *l, struct policy_rule *r, struct error **err)
{
	const char *word;

	if (r->allow || !words_next_is(l, "errno"))
		return 0;
	word = words_next(l);
	for (size_t i = 0; word && i < ARRAY_SIZE(errors); i++) {
		if (strcmp(errors[i].name, word))
			continue;
		r->error = errors[i].value;
		return 0;
	}
	return words_refuse(err, "not an error that a rule can give", word);
}

int policy_read_rule(const char *text, bool allow, struct policy_rule *ret, struct error **err)
{
	struct policy_rule rule = { .allow = allow, .error = allow ? 0 : POLICY_ERRNO, .file = "" };
	_cleanup_free_ char *copy = xstrdup(text);
	struct words words = { 0 };
	int e;

	if (strlen(text) > POLICY_LINE_MAX)
		return error_set(err, E2BIG, "longer than %u bytes", POLICY_LINE_MAX);
	e = words_split(copy, &words, err);
	if (e < 0)
		return e;
	if (words.n && *words.words[0] == '@') {
		e = words_read_set(words_next(&words), rule.name, err);
	} else {
		e = words_read_call(words_next(&words), rule.name, err);
		if (e >= 0)
			e = words_read_conditions(&words, &rule, err);
	}
	if (e >= 0)
		e = words_read_errno(&words, &rule, err);
	if (e >= 0)
		e = words_at_end(&words, err);
	if (e < 0)
		return e;
	*ret = rule;
	return 0;
}
