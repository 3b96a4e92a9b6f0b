/* A policy that is accepted has rules, each with a name and an effect; none says the opposite of
 * another; and its text reads back to it. A file that is included is the second half of the input.
 */

#include <string.h>

#include "emit/policy-read.h"
#include "emit/policy-text.h"
#include "tests/fuzz/fuzz.h"

struct input {
	const uint8_t *data;
	size_t size;
};

static int read_half(void *user, const char *name, char **ret, size_t *ret_size, struct error **err)
{
	const struct input *in = user;
	size_t half = in->size / 2;

	if (*name == 'x')
		return error_set(err, ENOENT, "it is not there");
	*ret = xmalloc(in->size - half + 1);
	memcpy(*ret, in->data + half, in->size - half);
	*ret_size = in->size - half;
	return 0;
}

static void check_rules(const struct policy *p)
{
	must(p->n_rules > 0 && p->n_rules <= POLICY_RULES_MAX);
	must(p->n_sets <= POLICY_SETS_MAX);
	for (size_t i = 0; i < p->n_rules; i++) {
		must(*p->rules[i].name);
		must(p->rules[i].allow == (p->rules[i].error == 0));
		for (size_t j = 0; j < i; j++)
			must(strcmp(p->rules[i].name, p->rules[j].name) ||
			     policy_rule_has_conditions(&p->rules[i]) ||
			     policy_rule_has_conditions(&p->rules[j]));
	}
}

static void check_text(const struct policy *p)
{
	_cleanup_free_ char *text = policy_render(p), *twice = NULL;
	_cleanup_(policy_freep) struct policy *again = NULL;
	_cleanup_(error_freep) struct error *error = NULL;

	must(policy_read(text, strlen(text), "f", NULL, &again, &error) == 0);
	twice = policy_render(again);
	must(!strcmp(text, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	const struct policy_files files = { .read = read_half, .user = &in };
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(policy_freep) struct policy *p = NULL;

	if (policy_read((const char *)data, size, "f", &files, &p, &error) < 0) {
		must(error && !p);
		return 0;
	}
	check_rules(p);
	check_text(p);
	return 0;
}
