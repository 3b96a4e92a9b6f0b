/* What vitrine-watch and the supervisor say to each other, and what an application gives as an
 * address or a path: whatever it is, what is taken reads back to the same, and is bounded. */

#include <string.h>

#include "box/watch.h"
#include "emit/filter.h"
#include "tests/fuzz/fuzz.h"

static void take_event(const uint8_t *data, size_t size)
{
	_cleanup_(watch_event_release) struct watch_event e = { 0 }, back = { 0 };
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_buf_ struct buf again = { 0 };

	if (watch_event_read(data, size, &e, &error) < 0) {
		must(error && !e.program);
		return;
	}
	must(e.kind < WATCH_EVENT_MAX && strlen(e.text) <= WATCH_TEXT_MAX);
	watch_event_write(&e, &again);
	must(watch_event_read(again.data, again.size, &back, &error) >= 0);
	must(!strcmp(e.text, back.text) && !strcmp(e.program, back.program) && e.rule == back.rule);
}

/* A policy from anywhere gives a filter that can be read, and the same decision twice. */
static void take_policy(const uint8_t *data, size_t size)
{
	_cleanup_(watch_policy_release) struct watch_policy p = { 0 };
	_cleanup_(error_freep) struct error *error = NULL;
	const struct seccomp_data call = { .nr = 1 };
	_cleanup_buf_ struct buf filter = { 0 };
	struct filter parsed;

	if (watch_policy_read(data, size, &p, &error) < 0) {
		must(error && !p.rules);
		return;
	}
	must(p.n && p.n <= POLICY_RULES_MAX);
	must(watch_decide(&p, &call).error >= 0);
	(void)watch_never(&p, &call);
	if (watch_filter_render(&p, WATCH_LEARN, &filter, &error) < 0)
		return;
	must(filter_parse(filter.data, filter.size, &parsed) == 0 && parsed.n == 1);
}

static void take_text(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_free_ char *address = watch_address(data, size),
			    *path = watch_path("/home/u", text);

	must(strchr(address, ':'));
	must(!path || (path[0] == '/' && strlen(path) <= WATCH_TEXT_MAX && !strstr(path, "//") &&
		       !strstr(path, "/../")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	take_event(data, size);
	take_policy(data, size);
	take_text(data, size);
	return 0;
}
