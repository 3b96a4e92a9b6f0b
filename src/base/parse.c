#include "base/parse.h"

#include <errno.h>
#include <string.h>

/* Reads digits up to *end; overflow is -ERANGE, no digit at all -EINVAL. */
static int parse_digits(const char *s, const char **end, uint64_t *ret)
{
	uint64_t value = 0;

	if (*s < '0' || *s > '9')
		return -EINVAL;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, (uint64_t)(*s - '0'), &value))
			return -ERANGE;
	*end = s;
	*ret = value;
	return 0;
}

int parse_u64(const char *s, uint64_t *ret)
{
	const char *end;
	uint64_t value;
	int r = parse_digits(s, &end, &value);

	if (r < 0)
		return r;
	if (*end)
		return -EINVAL;
	*ret = value;
	return 0;
}

int parse_u32(const char *s, uint32_t *ret)
{
	uint64_t value;
	int r = parse_u64(s, &value);

	if (r < 0)
		return r;
	if (value > UINT32_MAX)
		return -ERANGE;
	*ret = (uint32_t)value;
	return 0;
}

int parse_size(const char *s, uint64_t *ret)
{
	static const char units[] = "KMG";
	const char *end, *unit;
	uint64_t value;
	int r = parse_digits(s, &end, &value);

	if (r < 0)
		return r;
	if (*end) {
		unit = strchr(units, *end);
		if (!unit || end[1])
			return -EINVAL;
		if (__builtin_mul_overflow(value, UINT64_C(1) << (10 * (unit - units + 1)), &value))
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int parse_bool(const char *s, bool *ret)
{
	if (strcmp(s, "yes") && strcmp(s, "no"))
		return -EINVAL;
	*ret = *s == 'y';
	return 0;
}

int parse_duration(const char *s, uint32_t *ret)
{
	static const struct {
		const char *name;
		uint32_t seconds;
	} units[] = { { "s", 1 }, { "min", 60 }, { "h", 3600 } };
	const char *end;
	uint64_t value;
	int r = parse_digits(s, &end, &value);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (strcmp(end, units[i].name))
			continue;
		if (value > UINT32_MAX / units[i].seconds)
			return -ERANGE;
		*ret = (uint32_t)value * units[i].seconds;
		return 0;
	}
	return -EINVAL;
}
