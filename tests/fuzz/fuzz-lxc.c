/* A configuration that passes the check starts no program of the host and names no id but a
 * slice's, whoever wrote it. */

#include <stdio.h>
#include <string.h>

#include "base/strv.h"
#include "emit/lxc.h"
#include "tests/fuzz/fuzz.h"

/* The id outside is neither the holder's root nor the user. */
static void must_map_a_slice(const char *line)
{
	unsigned inside, outside, count;
	char type;

	if (strncmp(line, "lxc.idmap", 9))
		return;
	must(sscanf(line, "lxc.idmap = %c %u %u %u", &type, &inside, &outside, &count) == 4);
	must(count == 1 && outside >= SLICE_FIRST && outside < OWNER_USER);
}

static void must_be_harmless(const char *line)
{
	static const char *const never[] = {
		"lxc.hook", "lxc.include", "lxc.environment", "lxc.execute", "lxc.apparmor.raw",
	};

	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		must(strncmp(line + strspn(line, " \t"), never[i], strlen(never[i])));
	must(strcmp(line, "lxc.apparmor.profile = unconfined"));
	must_map_a_slice(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ char *text = xstrndup((const char *)data, size);
	char *rest = text, *line;

	if (lxc_config_check(text, false, &error) < 0)
		return 0;
	while ((line = strsep(&rest, "\n")))
		must_be_harmless(line);
	return 0;
}
