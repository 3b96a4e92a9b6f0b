#include "base/subid.h"

#include <fcntl.h>
#include <pwd.h>
#include <string.h>

#include "base/fs.h"
#include "base/parse.h"

#define SUBID_FILE_MAX (1U << 20)
#define FIRST_USER_ID  1000U

/* One line "owner:first:count"; false if it is none. */
static bool parse_line(char *line, char **ret_owner, uint32_t *ret_first, uint32_t *ret_count)
{
	char *state, *first, *count;

	*ret_owner = strtok_r(line, ":", &state);
	first = strtok_r(NULL, ":", &state);
	count = strtok_r(NULL, ":", &state);
	return count && parse_u32(first, ret_first) == 0 && parse_u32(count, ret_count) == 0;
}

int subid_parse(const char *text, const char *file, const char *user, uint32_t uid, uint32_t count,
		uint32_t *ret_first, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(text), *uid_text = xasprintf("%u", uid);
	char *state, *line;

	for (line = strtok_r(copy, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		uint32_t first, size, end;
		char *owner;

		if (!parse_line(line, &owner, &first, &size))
			continue;
		if ((strcmp(owner, user) && strcmp(owner, uid_text)) || size < count)
			continue;
		if (first < FIRST_USER_ID || __builtin_add_overflow(first, count, &end) ||
		    (uid >= first && uid < end))
			return error_set(err, EINVAL,
					 "%s: the range %u:%u of user '%s' is not safe to use",
					 file, first, size, user);
		*ret_first = first;
		return 0;
	}
	return error_set(err, ENOENT,
			 "user '%s' has no range of %u ids in %s: as root, 'usermod --add-sub%ss "
			 "100000-165535 %s' "
			 "with a range that is free",
			 user, count, file, strstr(file, "gid") ? "gid" : "uid", user);
}

int subid_find(const char *file, uint32_t count, uint32_t *ret_first, struct error **err)
{
	_cleanup_free_ char *text = NULL;
	struct passwd *user = getpwuid(getuid());
	int r;

	if (!user)
		return error_set(err, ENOENT, "user %u has no entry in the password database",
				 getuid());
	r = fs_read(AT_FDCWD, file, SUBID_FILE_MAX, &text, NULL, err);
	if (r < 0)
		return r;
	return subid_parse(text, file, user->pw_name, user->pw_uid, count, ret_first, err);
}
