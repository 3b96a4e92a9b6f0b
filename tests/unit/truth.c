#include "truth.h"

#include <string.h>

#include "base/buf.h"
#include "base/parse.h"

#define WORDS_MAX (3U + POLICY_ARGS + 1)

static const char *const abis[] = {
	[TRUTH_X86_64] = "x86_64",
	[TRUTH_X86] = "x86",
	[TRUTH_X32] = "x32",
};

static const struct {
	const char *word;
	struct policy_verdict verdict;
} verdicts[] = {
	{ "allow", { POLICY_ALLOWED, 0 } },
	{ "kill", { POLICY_KILLED, 0 } },
	{ "EACCES", { POLICY_DENIED, EACCES } },
	{ "EAFNOSUPPORT", { POLICY_DENIED, EAFNOSUPPORT } },
	{ "EINVAL", { POLICY_DENIED, EINVAL } },
	{ "ENOSYS", { POLICY_DENIED, ENOSYS } },
	{ "EPERM", { POLICY_DENIED, EPERM } },
};

/* Decimal, perhaps negative, or hexadecimal. */
static int read_number(const char *word, uint64_t *ret)
{
	bool negative = *word == '-';
	char *end;

	if (strspn(word + negative, "0123456789abcdefx") != strlen(word + negative) ||
	    !strchr("0123456789", word[negative]) || !word[negative])
		return -EINVAL;
	errno = 0;
	*ret = strtoull(word + negative, &end, strncmp(word + negative, "0x", 2) ? 10 : 16);
	if (*end || errno)
		return -EINVAL;
	if (negative)
		*ret = -*ret;
	return 0;
}

static int read_abi(const char *word, enum truth_abi *ret, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(abis); i++) {
		if (strcmp(abis[i], word))
			continue;
		*ret = (enum truth_abi)i;
		return 0;
	}
	return error_set(err, EINVAL, "no ABI '%s'", word);
}

static int read_verdict(const char *word, struct policy_verdict *ret, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(verdicts); i++) {
		if (strcmp(verdicts[i].word, word))
			continue;
		*ret = verdicts[i].verdict;
		return 0;
	}
	return error_set(err, EINVAL, "no verdict '%s'", word);
}

static void read_call(const char *word, struct truth_row *row)
{
	uint64_t number;

	if (read_number(word, &number) < 0)
		row->call = xstrdup(word);
	else
		row->number = (int64_t)number;
}

static int read_row(char **words, size_t n, struct truth_row *row, struct error **err)
{
	int r;

	row->optional = n > 0 && !strcmp(words[n - 1], "optional");
	n -= row->optional;
	if (n < 3 || n > 3 + POLICY_ARGS)
		return error_set(err, EINVAL, "not ABI CALL ARGUMENT... VERDICT");
	r = read_abi(words[0], &row->abi, err);
	if (r >= 0)
		r = read_verdict(words[n - 1], &row->verdict, err);
	for (size_t i = 2; r >= 0 && i < n - 1; i++)
		if (read_number(words[i], &row->args[i - 2]) < 0)
			r = error_set(err, EINVAL, "no number '%s'", words[i]);
	if (r >= 0)
		read_call(words[1], row);
	return r;
}

static int read_line(char *line, unsigned number, struct truth *t, struct buf *profile,
		     struct error **err)
{
	char *words[WORDS_MAX], *state, *word;
	struct truth_row row = { .line = number };
	size_t n = 0;
	int r;

	if (*line == '#')
		return 0;
	if (strchr(line, '=')) {
		buf_addf(profile, "%s\n", line);
		return t->n_rows ? error_set(err, EINVAL, "a key after the first row") : 0;
	}
	for (word = strtok_r(line, " ", &state); word; word = strtok_r(NULL, " ", &state)) {
		if (n == WORDS_MAX)
			return error_set(err, E2BIG, "too many words");
		words[n++] = word;
	}
	if (!n)
		return 0;
	if (t->n_rows == TRUTH_ROWS_MAX)
		return error_set(err, E2BIG, "too many rows");
	r = read_row(words, n, &row, err);
	if (r < 0)
		return r;
	t->rows = xreallocarray(t->rows, t->n_rows + 1, sizeof *t->rows);
	t->rows[t->n_rows++] = row;
	return 0;
}

int truth_read(const char *text, const char *file, struct truth **ret, struct error **err)
{
	_cleanup_(truth_freep) struct truth *t = xcalloc(1, sizeof *t);
	_cleanup_free_ char *copy = xstrdup(text);
	struct buf profile = { 0 };
	char *rest = copy, *line;
	unsigned number = 0;
	int r = 0;

	buf_adds(&profile, "[App]\nCommand=none\n[Seccomp]\n");
	while (r >= 0 && (line = strsep(&rest, "\n")))
		r = read_line(line, ++number, t, &profile, err);
	t->profile = buf_take(&profile);
	if (r < 0)
		return error_prefix(err, "%s:%u", file, number);
	if (!t->n_rows)
		return error_set(err, EINVAL, "%s: no row", file);
	*ret = TAKE_PTR(t);
	return 0;
}

struct truth *truth_free(struct truth *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->n_rows; i++)
		free(t->rows[i].call);
	free(t->rows);
	free(t->profile);
	free(t);
	return NULL;
}
