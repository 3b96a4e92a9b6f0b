#include "cli/profile-word.h"

#include <jansson.h>
#include <string.h>

#include "app/permit.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "profile/load.h"

#define OF_SYSTEM "@system"

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && !strcmp(s + n - m, end);
}

/* All directories of profiles but the user's. */
static int load_of_system(const char *word, const char *home, struct profile **ret,
			  struct error **err)
{
	_cleanup_free_ char *name = xstrndup(word, strlen(word) - strlen(OF_SYSTEM));
	_cleanup_strv_ char **dirs = profile_dirs(home);
	size_t last = strv_length(dirs) - 1;

	free(dirs[last]);
	dirs[last] = NULL;
	return profile_load_in(dirs, name, ret, err);
}

int profile_word_load(const char *word, const struct facts *facts, struct profile **ret,
		      struct error **err)
{
	if (strchr(word, '/') || ends_with(word, PROFILE_SUFFIX))
		return profile_load_file(word, facts->home, ret, err);
	if (ends_with(word, OF_SYSTEM))
		return load_of_system(word, facts->home, ret, err);
	return profile_load(word, facts->home, ret, err);
}

int profile_word_load_ruled(const char *word, const struct facts *facts, struct profile **ret,
			    struct error **err)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_free_ char *why = NULL;
	int r;

	r = profile_word_load(word, facts, &p, err);
	if (r >= 0)
		r = permit_preview(p, facts, &why, err);
	if (r >= 0 && why)
		r = error_set(err, EPERM, "%s", why);
	if (r >= 0)
		*ret = TAKE_PTR(p);
	return r;
}

int cli_print_json(const struct json_t *value)
{
	_cleanup_free_ char *text = json_dumps(value, JSON_INDENT(2));
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "null");

	return cli_print(line);
}
