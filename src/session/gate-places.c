#include <assert.h>
#include <string.h>

#include "base/strv.h"
#include "plan/plan.h"
#include "session/gate.h"

/* "files/N" is a directory of the gate's own: it must not be the name of something given. */
static bool is_number(const char *name)
{
	return strspn(name, "0123456789") == strlen(name);
}

char *gate_place(const char *name, char *const *taken)
{
	_cleanup_free_ char *place = xasprintf(GATE_FILES "/%s", name);

	for (unsigned n = 2; (n == 2 && is_number(name)) || strv_contains(taken, place); n++) {
		free(place);
		place = xasprintf(GATE_FILES "/%u/%s", n, name);
	}
	return TAKE_PTR(place);
}

char *gate_path_inside(const char *home, const char *place)
{
	const size_t n = sizeof GATE_FILES - 1;

	assert(!strncmp(place, GATE_FILES "/", n + 1));
	return xasprintf("%s/" BOX_FILES_DIR "%s", home, place + n);
}
