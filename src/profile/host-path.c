#include "profile/host-path.h"

#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

#define HOST_PATH_MAX 1024

static const struct {
	char letter;
	enum user_dir dir;
} letters[] = {
	{ 'd', USER_DIR_DOWNLOAD },    { 'D', USER_DIR_DOCUMENTS }, { 'M', USER_DIR_MUSIC },
	{ 'P', USER_DIR_PICTURES },    { 'V', USER_DIR_VIDEOS },    { 'T', USER_DIR_DESKTOP },
	{ 'S', USER_DIR_PUBLICSHARE }, { 't', USER_DIR_TEMPLATES },
};

static int dir_of_letter(char letter)
{
	for (size_t i = 0; i < ARRAY_SIZE(letters); i++)
		if (letters[i].letter == letter)
			return (int)letters[i].dir;
	return -1;
}

/* The part before the first component that is the profile's own. */
static bool has_valid_begin(const char *s)
{
	if (*s == '/')
		return true;
	if (*s == '~')
		return s[1] == '/';
	if (!strncmp(s, "%h", 2))
		return s[2] == '/';
	return *s == '%' && dir_of_letter(s[1]) >= 0 && (!s[2] || s[2] == '/');
}

bool host_path_is_valid(const char *s)
{
	const char *rest = s + strcspn(s, "/");

	return has_valid_begin(s) && strlen(s) <= HOST_PATH_MAX &&
	       (!*rest || path_is_shortest(rest));
}

char *host_path_expand(const char *s, const char *home, char *const dirs[USER_DIR_MAX])
{
	const char *rest = s + strcspn(s, "/"), *dir;

	if (*s == '/')
		return xstrdup(s);
	if (*s == '~' || !strncmp(s, "%h", 2))
		return xasprintf("%s%s", home, rest);
	dir = dirs[dir_of_letter(s[1])];
	return *dir == '/' ? xasprintf("%s%s", dir, rest) : xasprintf("%s/%s%s", home, dir, rest);
}
