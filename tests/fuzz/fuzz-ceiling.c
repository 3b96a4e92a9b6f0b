/*
 * Rules and a profile in one input, parted by lines of three dots: what is accepted binds. No rule
 * is exceeded by what passes, nothing becomes wider, and a second time changes nothing.
 */

#include <string.h>

#include "base/buf.h"
#include "profile/ceiling-rule.h"
#include "profile/copy.h"
#include "profile/host-path.h"
#include "profile/order.h"
#include "tests/fuzz/fuzz.h"

#define HOME	"/home/ada"
#define PARTING "...\n"

static char *resolve(void *data, const char *path)
{
	static const char *const dirs[USER_DIR_MAX] = {
		"Desktop", "Documents", "/srv/loads", "Music", "Pictures", "Public", "T", "V",
	};

	(void)data;
	return host_path_expand(path, HOME, (char *const *)dirs);
}

static void resolve_paths(struct profile *p)
{
	for (size_t i = 0; key_at(i); i++) {
		char **list = key_at(i)->order == ORDER_PATHS ? *(char ***)key_field(key_at(i), p)
							      : NULL;

		for (; list && *list; list++) {
			char *path = resolve(NULL, *list);

			free(*list);
			*list = path;
		}
	}
}

static void must_be_beneath(const struct profile *p, const char *rule, size_t size)
{
	_cleanup_(profile_freep) struct profile *resolved = profile_copy(p);
	struct ceiling_rule *r = NULL;
	struct error *error = NULL;

	must(ceiling_rule_read(rule, size, "rule", &r, &error) >= 0);
	if (!r->profiles && !r->users && !r->groups) {
		resolve_paths(resolved);
		resolve_paths(r->limits);
		for (size_t i = 0; key_at(i); i++)
			must(!ceiling_rule_limits(r, key_at(i)) ||
			     !key_exceeds(key_at(i), resolved, r->limits, NULL));
	}
	ceiling_rule_free(r);
}

/* The part that begins at *at, which is moved behind it; or NULL. */
static const char *next_part(const char **at, const char *end, size_t *ret_size)
{
	const char *part = *at, *parting;

	if (!part)
		return NULL;
	parting = memmem(part, (size_t)(end - part), PARTING, sizeof PARTING - 1);
	*ret_size = (size_t)((parting ? parting : end) - part);
	*at = parting ? parting + sizeof PARTING - 1 : NULL;
	return part;
}

static bool read_rules(struct ceiling *c, const char *at, const char *end)
{
	_cleanup_(error_freep) struct error *error = NULL;
	const char *part;
	size_t size;

	while ((part = next_part(&at, end, &size)))
		if (ceiling_add(c, part, size, "rule", &error) < 0)
			return false;
	return true;
}

static void must_hold(const struct ceiling *c, struct profile *p, const char *rules,
		      const char *end)
{
	static const struct ceiling_subject s = {
		.user = "ada", .uid = 1000, .home = HOME, .resolve = resolve
	};
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_(profile_freep) struct profile *before = profile_copy(p);
	_cleanup_free_ char *once = NULL, *twice = NULL;
	const char *part;
	size_t size;

	if (ceiling_apply(c, &s, p, &error) < 0) {
		must(!strchr(error->message, '\n'));
		return;
	}
	while ((part = next_part(&rules, end, &size)))
		must_be_beneath(p, part, size);
	must(!profile_exceeds(p, before));
	once = profile_write(p);
	must(ceiling_apply(c, &s, p, &error) >= 0);
	twice = profile_write(p);
	must(!strcmp(once, twice));
	(void)ceiling_check_given(c, &s, p, HOME "/a", true, true, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(ceiling_freep) struct ceiling *c = ceiling_new();
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(error_freep) struct error *error = NULL;
	const char *at = (const char *)data, *end = at + size, *profile;
	size_t profile_size = 0;

	if (!size)
		return 0;
	profile = next_part(&at, end, &profile_size);
	if (read_rules(c, at, end) &&
	    profile_read(profile, profile_size, "f", "fuzz", &p, &error) >= 0)
		must_hold(c, p, at, end);
	return 0;
}
