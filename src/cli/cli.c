#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/text.h"

char *command_call(const struct command *c)
{
	const char *noun = c->root_noun && getuid() == 0 ? c->root_noun : c->noun;

	return xasprintf("%s%s%s", noun ? noun : "", noun ? " " : "", c->name);
}

char *command_page(const struct command *c)
{
	_cleanup_free_ char *page = NULL;

	if (c->verbs && !c->noun)
		return xstrdup("vitrine");
	page = xasprintf("vitrine-%s%s%s", c->noun ? c->noun : "", c->noun ? "-" : "", c->name);
	for (char *blank = page; (blank = strchr(blank, ' '));)
		*blank = '-';
	return TAKE_PTR(page);
}

int cli_fail(struct error *e, int status)
{
	fprintf(stderr, "vitrine: %s\n", e->message);
	error_free(e);
	return status;
}

int cli_usage(const struct command *c, const char *format, ...)
{
	_cleanup_free_ char *call = command_call(c), *what = NULL;
	va_list ap;

	va_start(ap, format);
	what = xvasprintf(format, ap);
	va_end(ap);
	fprintf(stderr, "vitrine: %s (see 'vitrine %s --help')\n", what, call);
	return EXIT_USAGE;
}

int cli_print(const char *text)
{
	struct error *error = NULL;

	if (fs_write_all(STDOUT_FILENO, text, strlen(text), &error) < 0) {
		error_prefix(&error, "standard output");
		return cli_fail(error, EXIT_FAILED);
	}
	return EXIT_OK;
}

int cli_print_path(const char *path)
{
	_cleanup_free_ char *shown = isatty(STDOUT_FILENO) ? text_escape(path, strlen(path))
							   : xstrdup(path);
	_cleanup_free_ char *line = xasprintf("%s\n", shown);

	return cli_print(line);
}

void cli_say_path(const char *what, const char *path)
{
	_cleanup_free_ char *shown = text_escape(path, strlen(path));

	fprintf(stderr, "%s: %s\n", what, shown);
}

int cli_colours(int fd)
{
	const char *no_color = getenv("NO_COLOR");

	return isatty(fd) && !(no_color && *no_color);
}
