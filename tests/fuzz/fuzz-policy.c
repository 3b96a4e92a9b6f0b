/* A policy that is accepted has rules, each with a name and an effect; none says the opposite of
 * another. */

#include <string.h>

#include "emit/policy.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(policy_freep) struct policy *p = NULL;

	if (policy_read((const char *)data, size, "f", &p, &error) < 0) {
		must(error && !p);
		return 0;
	}
	must(p->n_rules > 0 && p->n_rules <= POLICY_RULES_MAX);
	for (size_t i = 0; i < p->n_rules; i++) {
		must(*p->rules[i].name);
		must(p->rules[i].allow == (p->rules[i].error == 0));
		for (size_t j = 0; j < i; j++)
			must(strcmp(p->rules[i].name, p->rules[j].name) ||
			     policy_rule_has_conditions(&p->rules[i]) ||
			     policy_rule_has_conditions(&p->rules[j]));
	}
	return 0;
}
