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

/* By nothing but an event of the same call that went on. */
static bool is_allowed(const struct profile *p, const struct learn_events *events, size_t which)
{
	const char *call = events->list[which].call;

	for (size_t i = 0; i < events->n; i++)
		if (events->list[i].kind == LEARN_CALL && !events->list[i].denied &&
		    !strcmp(events->list[i].call, call))
			return false;
	for (char **rule = p->seccomp_allow; rule && *rule; rule++)
		if (!strncmp(*rule, call, strlen(call)) && !(*rule)[strlen(call)])
			return true;
	return false;
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
	for (size_t i = 0; i < events.n; i++)
		must(events.list[i].kind != LEARN_CALL || !events.list[i].denied ||
		     !is_allowed(base, &events, i));
	must(events.n || !lines);
	must(!strcmp(base->command, "x"));
	return 0;
}
