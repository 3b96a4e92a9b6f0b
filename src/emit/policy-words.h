#pragma once

/* The words of one line of a policy, for emit/policy-read.c: only what stands in a line is known
 * here. Lines are cut in place. */

#include "emit/policy.h"

#define WORDS_MAX 48U

struct words {
	char *words[WORDS_MAX];
	size_t n;
	size_t next;
};

int words_split(char *text, struct words *ret, struct error **err);

/* Sets an error that quotes the word, which may be NULL. */
int words_refuse(struct error **err, const char *what, const char *word);

/* NULL after the last one. */
const char *words_next(struct words *l);

/* Takes the next word if it is this one. */
bool words_next_is(struct words *l, const char *word);
int words_at_end(const struct words *l, struct error **err);

/* Where a word is in a table, or -ENOENT; NULL is nowhere. */
int words_find(const char *const *table, size_t n, const char *word);

/* The name of a call or of a set (with its '@'), of POLICY_NAME_MAX + 1 bytes. */
int words_read_call(const char *word, char *ret, struct error **err);
int words_read_set(const char *word, char *ret, struct error **err);

/* "argN", N a digit. */
bool words_is_argument(const char *word, size_t *ret);

/* All that stand here: `argN OP VALUE`. */
int words_read_conditions(struct words *l, struct policy_rule *r, struct error **err);

/* `errno NAME`, where it stands, of a rule that denies. */
int words_read_errno(struct words *l, struct policy_rule *r, struct error **err);
