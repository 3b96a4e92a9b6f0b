/* Whatever is said of changes, each that is taken has an absolute path and a known kind, in order.
 */

#include <string.h>

#include "app/changes.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(changes_release) struct changes c = { 0 };
	_cleanup_(error_freep) struct error *error = NULL;

	if (changes_parse((const char *)data, size, &c, &error) < 0) {
		must(error && !c.list);
		return 0;
	}
	for (size_t i = 0; i < c.n; i++) {
		uint64_t bytes;

		must(c.list[i].path[0] == '/');
		must(change_kind_to_string(c.list[i].kind) &&
		     change_type_to_string(c.list[i].type));
		must(changes_within(&c, i, &bytes) < c.n - i);
	}
	return 0;
}
