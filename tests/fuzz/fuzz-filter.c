/* A filter file that is accepted lies in its bytes as a whole: every instruction can be read. */

#include "emit/filter.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct filter f;
	size_t total = sizeof(uint32_t);

	if (filter_parse(data, size, &f) < 0)
		return 0;
	must(f.n > 0 && f.n <= FILTER_PROGRAMS_MAX);
	for (uint32_t i = 0; i < f.n; i++) {
		const uint8_t *first = (const uint8_t *)f.programs[i].filter;

		must(f.programs[i].len > 0);
		must(first >= data);
		must(first + f.programs[i].len * sizeof(struct sock_filter) <= data + size);
		must(!(f.flags[i] & ~FILTER_LOG));
		total += 2 * sizeof(uint32_t) + f.programs[i].len * sizeof(struct sock_filter);
	}
	must(total == size);
	return 0;
}
