/* Whatever the file says, every directory has a name that is one line of text, in its shortest form
 * and not the home. */

#include <string.h>

#include "app/user-dirs.h"
#include "base/text.h"
#include "tests/fuzz/fuzz.h"

#define HOME "/home/ada"

static void must_be_shortest(const char *path)
{
	must(*path && strcmp(path, HOME) != 0 && strlen(path) <= USER_DIR_PATH_MAX);
	must(text_is_clean(path));
	if (!strcmp(path, "/"))
		return;
	for (path += *path == '/'; *path; path += *path == '/') {
		size_t n = strcspn(path, "/");

		must(n > 0);
		must(n != 1 || *path != '.');
		must(n != 2 || strncmp(path, "..", 2) != 0);
		path += n;
		must(strcmp(path, "/") != 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(user_dirs_release) struct user_dirs d = { 0 };

	user_dirs_parse((const char *)data, size, HOME, &d);
	for (enum user_dir i = 0; i < USER_DIR_MAX; i++)
		must_be_shortest(d.paths[i]);
	return 0;
}
