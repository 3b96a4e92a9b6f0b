/*
 * A profile that is accepted: its text reads back to the same text, its plan can be made, and what
 * is rendered from that passes the check of the LXC configuration.
 */

#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tests/unit/sample.h"

static char *must_read_back(const struct profile *p)
{
	_cleanup_(profile_freep) struct profile *again = NULL;
	_cleanup_free_ char *first = profile_write(p), *second = NULL;
	struct error *error = NULL;

	must(profile_read(first, strlen(first), "f", "fuzz", &again, &error) == 0);
	second = profile_write(again);
	must(!strcmp(first, second));
	return TAKE_PTR(first);
}

/* With the fragments that we ship; without TESTDATA this part is left out. */
static void must_render(const struct plan *plan)
{
	const char *testdata = getenv("TESTDATA");
	_cleanup_free_ char *fragments = xasprintf("%s/../lxc-configs", testdata ? testdata : "");

	for (enum box_kind k = 0; testdata && k < BOX_KIND_MAX; k++) {
		_cleanup_free_ char *config = NULL;
		struct error *error = NULL;

		if (plan->has_box[k])
			must(sample_config(plan, k, fragments, &config, &error) == 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_free_ char *text = NULL, *facts = NULL;

	if (profile_read((const char *)data, size, "f", "fuzz", &p, &error) < 0)
		return 0;
	text = must_read_back(p);
	if (plan_make(p, &as_profile, &sample_host, &sample_inputs, &plan, &error) < 0) {
		/* The one thing that only both keys together make wrong. */
		must(p->display == DISPLAY_XEPHYR && p->viewer == VIEWER_HOST);
		return 0;
	}
	must_render(plan);
	facts = plan_to_text(plan);
	must(*facts);
	return 0;
}
