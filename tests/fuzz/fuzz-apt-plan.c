/* Whatever apt prints, and a server lets it print: a step that is taken names a package, and its
 * file is a single name that is no option. */

#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "image/apt-plan.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct apt_step *s)
{
	_cleanup_free_ char *file = NULL;

	must(*s->name && *s->name != '-' && !strpbrk(s->name, "/ \n:"));
	must((s->action == APT_UNPACK || s->action == APT_CONFIGURE) == (s->version != NULL));
	if (!s->version)
		return;
	file = apt_file_name(s);
	must(!strchr(file, '/') && *file != '.' && *file != '-');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	_cleanup_(apt_plan_release) struct apt_plan p = { 0 };
	_cleanup_strv_ char **versions = NULL;
	char *state;

	(void)apt_release_date(text);
	for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		_cleanup_(error_freep) struct error *err = NULL;
		size_t before = p.n_steps;
		int r = apt_plan_line(&p, line, &err);

		must((r < 0) == (err != NULL) && (r == 0 || p.n_steps == before));
	}
	for (size_t i = 0; i < p.n_steps; i++)
		check(&p.steps[i]);
	versions = apt_plan_versions(&p);
	must(strv_length(versions) <= p.n_steps);
	return 0;
}
