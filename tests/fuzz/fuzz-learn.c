/* Whatever a record of learn runs says, what is proposed of it is a drop-in that reads, gives no
 * call that no application should need, and nothing without an event. */

#include <string.h>

#include "app/learn-propose.h"
#include "base/strv.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

static struct profile *make_base(void)
{
	static const char text[] = "[App]\nCommand=x\n";
	_cleanup_(error_freep) struct error *error = NULL;
	struct profile *p = NULL;

	must(profile_read(text, sizeof text - 1, "f", "p", &p, &error) >= 0);
	return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(learn_events_release) struct learn_events events = { 0 };
	_cleanup_(profile_freep) struct profile *base = make_base();
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *text = NULL;
	size_t lines;

	if (learn_events_read((const char *)data, size, "f", &events, &error) < 0) {
		must(error);
		return 0;
	}
	if (learn_propose(base, &events, NULL, &text, &lines, &error) < 0)
		abort();
	must(profile_add(base, text, strlen(text), "f", &error) >= 0);
	for (char **rule = base->seccomp_allow; rule && *rule; rule++) {
		_cleanup_free_ char *name = xstrndup(*rule, strcspn(*rule, " "));

		must(!watch_never_name(name));
	}
	must(events.n || !lines);
	must(!strcmp(base->command, "x"));
	return 0;
}
