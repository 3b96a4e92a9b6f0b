/* Whatever these files of the kernel say, results are set on success only, and list of processes of
 * any form has an end. */

#include <string.h>

#include "app/usage.h"
#include "base/alloc.h"
#include "tests/fuzz/fuzz.h"

#define UNSET 0x5a5a5a5a5a5a5a5a

static void single(const char *text)
{
	uint64_t a = UNSET, b = UNSET;

	must(usage_parse_statm(text, &a) == 0 || a == UNSET);
	a = UNSET;
	must(usage_parse_single(text, &a) == 0 || a == UNSET);
	a = UNSET;
	must(usage_parse_flat(text, "usage_usec", &a) == 0 || a == UNSET);
	a = UNSET;
	must(usage_parse_nested(text, "rbytes", &a) == 0 || a == UNSET);
	a = UNSET;
	must(usage_parse_net(text, &a, &b) == 0 || (a == UNSET && b == UNSET));
}

/* Each line is one process. */
static void all(char *text)
{
	_cleanup_(processes_release) struct processes p = { 0 };
	_cleanup_free_ size_t *found = NULL;
	char *state;
	size_t n;

	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		struct process one = { .pid = -1 };

		if (usage_parse_stat(line, &one) < 0) {
			must(one.pid == -1);
			continue;
		}
		must(one.pid >= 0 && one.parent >= 0);
		p.v = xreallocarray(p.v, p.n + 1, sizeof *p.v);
		p.v[p.n++] = one;
	}
	n = processes_below(&p, p.n ? p.v[0].pid : 1, &found);
	must(n <= p.n && (n > 0) == (p.n > 0));
	for (size_t i = 0; i < n; i++)
		must(found[i] < p.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);

	single(text);
	all(text);
	return 0;
}
