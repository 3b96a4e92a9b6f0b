#include "profile/order.h"

#include <string.h>

#include "base/strv.h"

bool host_path_covers(const char *above, const char *path)
{
	size_t n = strlen(above);

	return !strncmp(path, above, n) && (!path[n] || path[n] == '/' || above[n - 1] == '/');
}

/* xdg-dbus-proxy(1): "org.foo.*" stands for org.foo and all beneath it. */
static bool name_covers(const char *above, const char *name, size_t n)
{
	size_t m = strlen(above);

	if (m > 2 && !strcmp(above + m - 2, ".*"))
		return n >= m - 2 && !strncmp(name, above, m - 2) &&
		       (n == m - 2 || name[m - 2] == '.');
	return n == m && !strncmp(name, above, n);
}

static char *const *list_at(const struct profile *p, size_t offset)
{
	return *(char *const *const *)((const char *)p + offset);
}

static bool is_covered(const char *path, char *const *list)
{
	for (; list && *list; list++)
		if (host_path_covers(*list, path))
			return true;
	return false;
}

/* Is it there, or is the name of it in the list of names that gives as much? */
static bool has_name(const char *value, char *const *list, char *const *names)
{
	size_t n = strcspn(value, "=");

	for (; list && *list; list++)
		if (value[n] ? !strcmp(*list, value) : name_covers(*list, value, n))
			return true;
	for (; names && *names; names++)
		if (name_covers(*names, value, n))
			return true;
	return false;
}

static bool has_value(const struct key *k, const char *value, const struct profile *p)
{
	char *const *list = list_at(p, k->offset);

	if (k->order == ORDER_NAMES)
		return has_name(value, list, list_at(p, k->covered_by));
	if (k->order != ORDER_PATHS)
		return strv_contains(list, value);
	return is_covered(value, list) || is_covered(value, list_at(p, k->covered_by));
}

/* The values of one list that the other lacks. */
static bool list_exceeds(const struct key *k, const struct profile *a, const struct profile *b,
			 struct buf *what)
{
	bool exceeds = false;

	for (char *const *value = list_at(a, k->offset); value && *value; value++) {
		if (has_value(k, *value, b))
			continue;
		exceeds = true;
		if (what)
			buf_addf(what, "%s=%s\n", k->name, *value);
	}
	return exceeds;
}

static const char *string_of(const struct key *k, const struct profile *p)
{
	const char *s = *(const char *const *)key_value(k, p);

	return s ? s : "";
}

static bool differs(const struct key *k, const struct profile *a, const struct profile *b)
{
	return strcmp(string_of(k, a), string_of(k, b));
}

static bool value_exceeds(const struct key *k, const struct profile *a, const struct profile *b)
{
	uint64_t of_a = k->type->number ? k->type->number(key_value(k, a)) : 0;
	uint64_t of_b = k->type->number ? k->type->number(key_value(k, b)) : 0;

	switch (k->order) {
	case ORDER_MORE:
		return of_a > of_b;
	case ORDER_LESS:
		return of_a < of_b;
	case ORDER_FLAGS:
		return of_a & ~of_b;
	case ORDER_CHANGE:
		return differs(k, a, b) && strcmp(string_of(k, a), k->fallback);
	case ORDER_HOST:
		return differs(k, a, b) && !strcmp(string_of(k, a), KEY_HOST);
	default:
		return false;
	}
}

bool key_exceeds(const struct key *k, const struct profile *a, const struct profile *b,
		 struct buf *what)
{
	if (k->order == ORDER_SET || k->order == ORDER_PATHS || k->order == ORDER_NAMES)
		return list_exceeds(k, a, b, what);
	if (k->order == ORDER_SET_LESS)
		return list_exceeds(k, b, a, what);
	if (!value_exceeds(k, a, b))
		return false;
	if (what) {
		size_t before = what->size;

		k->type->write(k, key_value(k, a), what);
		if (what->size == before)
			buf_addf(what, "%s=\n", k->name); /* no limit */
	}
	return true;
}

bool profile_exceeds(const struct profile *a, const struct profile *b)
{
	for (size_t i = 0; i < key_count(); i++)
		if (key_exceeds(key_at(i), a, b, NULL))
			return true;
	return false;
}
