/* Whatever a log says, a denial is told in one line that does nothing to a terminal, and as JSON.
 */

#include <string.h>

#include "app/denial.h"
#include "base/alloc.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* No NUL behind it: it is read by its size. */
	_cleanup_free_ char *line = xmalloc(size + !size), *text = NULL, *dumped = NULL;
	_cleanup_(denial_release) struct denial d = DENIAL_NONE;
	json_auto_t *json = NULL;
	uint64_t serial = 1, uid = 2;

	memcpy(line, data, size);
	if (!denial_parse_caller(line, size, &serial, &uid))
		must(serial == 1 && uid == 2);
	if (!denial_parse(line, size, &d)) {
		must(!d.operation && !d.name);
		return 0;
	}
	must(d.operation && d.time_ms <= (uint64_t)UINT32_MAX * 1000 + 999);
	text = denial_describe(&d);
	must(text_is_clean(text));
	json = denial_to_json(&d);
	dumped = json_dumps(json, JSON_COMPACT);
	must(dumped);
	return 0;
}
