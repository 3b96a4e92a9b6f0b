#include "emit/bus.h"

#include "base/strv.h"

char **bus_rules_render(const struct plan_bus *b)
{
	const struct {
		const char *option;
		char *const *values;
	} lists[] = {
		{ "--talk", b->talk },
		{ "--own", b->own },
		{ "--call", b->call },
		{ "--broadcast", b->broadcast },
	};
	char **rules = NULL;

	strv_add(&rules, "--filter");
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		for (char *const *value = lists[i].values; value && *value; value++)
			strv_addf(&rules, "%s=%s", lists[i].option, *value);
	return rules;
}
