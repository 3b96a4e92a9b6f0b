/* A message read in an order that the message itself chooses: nothing beyond it is touched, and
 * what was bad stays bad. */

#include "base/strv.h"
#include "base/wire.h"
#include "tests/fuzz/fuzz.h"

static void get_u32(struct wire *w)
{
	(void)wire_get_u32(w);
}

static void get_bytes(struct wire *w)
{
	size_t size;
	const char *p = wire_get_bytes(w, &size);
	volatile char last;

	must(p || !size);
	if (size)
		last = p[size - 1];
	(void)last;
}

static void get_string(struct wire *w)
{
	_cleanup_free_ char *s = wire_get_string(w);

	must(s);
}

static void get_strv(struct wire *w)
{
	_cleanup_strv_ char **v = wire_get_strv(w);

	must(strv_length(v) <= WIRE_VECTOR_MAX);
}

typedef void get_fn(struct wire *w);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static get_fn *const fields[] = { get_u32, get_bytes, get_string, get_strv };
	size_t order = size < 8 ? size : 8;
	struct wire w = wire_open(data + order, size - order);

	for (size_t i = 0; i < order; i++) {
		bool bad = w.bad;

		fields[data[i] % ARRAY_SIZE(fields)](&w);
		must(!bad || w.bad);
		must(w.at <= w.end);
	}
	must(!wire_end(&w) || (!w.bad && w.at == w.end));
	return 0;
}
