#include <limits.h>
#include <string.h>

#include "app/control-client.h"
#include "base/strv.h"
#include "cli/cli.h"
#include "cli/options.h"

/* Absolute, without slashes at its end; nothing is looked up. */
static char *absolute(const char *word)
{
	_cleanup_free_ char *here = *word == '/' ? NULL : realpath(".", NULL);
	_cleanup_free_ char *path = here ? xasprintf("%s/%s", here, word) : xstrdup(word);

	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	return TAKE_PTR(path);
}

/* The real path of its directory, and its name as it is: links that an application may have put
 * there since do not lead elsewhere. NULL where there is no such directory. */
static char *beside(const char *path)
{
	const char *name = strrchr(path, '/');
	_cleanup_free_ char *dir = NULL, *real = NULL;

	if (!name || !name[1] || !strcmp(name, "/.") || !strcmp(name, "/.."))
		return NULL;
	dir = xstrndup(path, (size_t)(name - path) + (name == path));
	real = realpath(dir, NULL);
	return real ? xasprintf("%s%s", real[1] ? real : "", name) : NULL;
}

/* What the user may mean, nearest first: the same names may lead somewhere else now than when it
 * was given, or nowhere, and it must be possible to take it away all the same. */
static char **meanings(const char *word)
{
	char *path = absolute(word), *real = realpath(path, NULL), *near = beside(path);
	char **v = NULL;

	if (near)
		strv_take(&v, near);
	if (real)
		strv_take(&v, real);
	strv_take(&v, path);
	return v;
}

static int run(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	int first = options_parse(&cmd_unshare, rows, argc, argv), status = EXIT_OK;

	if (first < 0)
		return options_status(first);
	if (argc - first < 2)
		return cli_usage(&cmd_unshare, "give a sandbox and at least one path");
	for (int i = first + 1; i < argc; i++) {
		_cleanup_strv_ char **v = meanings(argv[i]);
		_cleanup_close_ int fd = -EBADF;
		struct error *error = NULL;

		/* One connection each: an answer that comes too late is not one to the next path.
		 */
		if (control_connect(argv[first], &fd, NULL, &error) < 0)
			return cli_fail(error, EXIT_FAILED);
		if (control_unshare(fd, v, &error) < 0)
			status = cli_fail(error, EXIT_FAILED);
	}
	return status;
}

const struct command cmd_unshare = {
	.name = "unshare",
	.arguments = "ID PATH...",
	.summary = "Take back what was given, at once",
	.run = run,
};
