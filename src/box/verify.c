#include "box/verify.h"

#include <stdbool.h>
#include <string.h>

#include "base/parse.h"
#include "box/holder-protocol.h"
#include "plan/plan.h"

static size_t trailing_blanks(const char *line)
{
	size_t end = strcspn(line, "\n"), n = 0;

	while (n < end && (line[end - n - 1] == ' ' || line[end - n - 1] == '\t'))
		n++;
	return n;
}

/* The value of "Name:\tvalue" in the text of a status file, owned by the caller; NULL if there is
 * none. */
static char *field(const char *status, const char *name)
{
	size_t n = strlen(name);

	for (const char *line = status; line && *line; line = strchr(line, '\n'), line += !!line) {
		if (strncmp(line, name, n) || line[n] != ':')
			continue;
		line += n + 1;
		line += strspn(line, " \t");
		return xstrndup(line, strcspn(line, "\n") - trailing_blanks(line));
	}
	return NULL;
}

static int expect(const char *status, const char *name, const char *want, struct error **err)
{
	_cleanup_free_ char *have = field(status, name);

	if (!have)
		return error_set(err, ENOTSUP, "the kernel does not tell '%s' of a process", name);
	if (strcmp(have, want))
		return error_set(err, EPERM, "%s is '%s' instead of '%s'", name, have, want);
	return 0;
}

int confinement_check(const char *status, const struct confinement *want, struct error **err)
{
	static const char no_capability[] = "0000000000000000";
	_cleanup_free_ char *uid = xasprintf("%u\t%u\t%u\t%u", want->uid, want->uid, want->uid,
					     want->uid);
	_cleanup_free_ char *gid = xasprintf("%u\t%u\t%u\t%u", want->gid, want->gid, want->gid,
					     want->gid);
	_cleanup_free_ char *filters = xasprintf("%u", want->filters);
	const struct {
		const char *name, *want;
	} facts[] = {
		{ "Uid", uid },
		{ "Gid", gid },
		{ "Groups", "" },
		{ "CapInh", no_capability },
		{ "CapPrm", no_capability },
		{ "CapEff", no_capability },
		{ "CapBnd", no_capability },
		{ "CapAmb", no_capability },
		{ "NoNewPrivs", "1" },
		{ "Seccomp", "2" },
		{ "Seccomp_filters", filters },
	};

	for (size_t i = 0; i < ARRAY_SIZE(facts); i++) {
		int r = expect(status, facts[i].name, facts[i].want, err);

		if (r < 0)
			return r;
	}
	return 0;
}

/* One line "inside outside count" of user_namespaces(7). Returns the rest, or NULL. */
static const char *map_line(const char *map, uint32_t ret[3])
{
	for (int i = 0; i < 3; i++) {
		size_t n;
		_cleanup_free_ char *number = NULL;

		map += strspn(map, " ");
		n = strspn(map, "0123456789");
		number = xstrndup(map, n);
		if (parse_u32(number, &ret[i]) < 0)
			return NULL;
		map += n;
	}
	return *map == '\n' ? map + 1 : NULL;
}

int id_map_base(const char *map, uint32_t *ret_base, struct error **err)
{
	uint32_t line[3];

	if (!map_line(map, line) || line[0] != 0 || line[2] != HOLDER_IDS)
		return error_set(err, EPERM, "the session's id map is not as made");
	*ret_base = line[1];
	return 0;
}

int id_map_check(const char *map, const char *what, uint32_t id, uint32_t user, uint32_t first,
		 struct error **err)
{
	bool mapped = false;

	while (*map) {
		uint32_t line[3];
		bool is_user, in_slice;

		map = map_line(map, line);
		if (!map)
			return error_set(err, EPERM, "%s of the box cannot be read", what);
		is_user = line[0] == id && line[1] == user;
		in_slice = line[1] >= first && line[1] < first + SLICE_IDS;
		if (line[2] != 1 || !(is_user || in_slice))
			return error_set(err, EPERM,
					 "%s of the box maps %u to %u, outside its slice", what,
					 line[0], line[1]);
		mapped |= is_user;
	}
	if (!mapped)
		return error_set(err, EPERM, "%s of the box does not map the user", what);
	return 0;
}
