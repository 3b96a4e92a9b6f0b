/* /etc/subuid and /etc/subgid: a range that is accepted has as many ids as were asked for, none of
 * the system's, and not the user's own. */

#include <string.h>

#include "base/subid.h"
#include "tests/fuzz/fuzz.h"

#define UID	   1000U
#define SYSTEM_IDS 1000U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t counts[] = { 1, 65536, 196608, UINT32_MAX };
	_cleanup_free_ char *text = xstrndup((const char *)data, size);

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		_cleanup_(error_freep) struct error *error = NULL;
		uint32_t first = 0;

		if (subid_parse(text, "/etc/subuid", "ada", UID, counts[i], &first, &error) < 0) {
			must(error && !strchr(error->message, '\n'));
			continue;
		}
		must(first >= SYSTEM_IDS);
		must((uint64_t)first + counts[i] - 1 <= UINT32_MAX);
		must(UID < first || UID >= (uint64_t)first + counts[i]);
	}
	return 0;
}
