#include <string.h>

#include "base/signals.h"
#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/options.h"

#define MAN	   "/usr/bin/man"
#define ANSWER_MAX 4096U

/* What man and its pager look at. */
static const char *const variables[] = {
	"COLUMNS", "HOME",  "LANG",  "LC_ALL",	 "LC_CTYPE", "LC_MESSAGES",
	"LESS",	   "LINES", "PAGER", "MANPAGER", "MANWIDTH", "MAN_KEEP_FORMATTING",
	"TERM",	   NULL,
};

/* Is the page installed, and something that shows it? */
static bool has_page(char *const *env, const char *page)
{
	_cleanup_free_ char *name = xstrdup(page), *path = NULL;
	char man[] = MAN, at[] = "-M", dir[] = VITRINE_MAN_DIR, where[] = "-w", section[] = "1";
	char *argv[] = { man, at, dir, where, section, name, NULL };
	struct error *error = NULL;
	int status;

	if (spawn_collect(&(struct spawn){ .path = MAN, .argv = argv, .env = env }, ANSWER_MAX,
			  &path, &status, &error) < 0) {
		error_free(error); /* no man: --help is shown */
		return false;
	}
	return status == 0;
}

/* Becomes man. Returns where that cannot be. */
static void show_page(const char *page)
{
	_cleanup_strv_ char **env = spawn_env(variables);
	_cleanup_free_ char *name = xstrdup(page);
	char man[] = MAN, at[] = "-M", dir[] = VITRINE_MAN_DIR, section[] = "1";
	char *argv[] = { man, at, dir, section, name, NULL };

	if (!has_page(env, page))
		return;
	signals_reset();
	execve(MAN, argv, env);
}

static int show_help(const struct command *c)
{
	_cleanup_free_ char *name = xstrdup(c->name), *option = xstrdup("--help");
	char *argv[] = { name, option, NULL };

	return c->verbs ? commands_help_noun(c) : c->run(2, argv);
}

static int refuse(const struct command *c, const char *word)
{
	_cleanup_free_ char *shown = text_escape(word, 64);

	return cli_usage(&cmd_help, "'%s' has no verb '%s'", c->name, shown);
}

static int run(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	const struct command *const *table = commands;
	const struct command *c = NULL;
	_cleanup_free_ char *page = NULL;
	int first = options_parse(&cmd_help, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	for (int i = first; i < argc; i++) {
		const struct command *found = table ? commands_find(table, argv[i]) : NULL;

		if (!table)
			return refuse(c, argv[i]);
		if (!found)
			return commands_unknown(c, argv[i]);
		c = found;
		table = c->verbs;
	}
	if (!c)
		return commands_help();
	page = command_page(c);
	if (strcmp(page, "vitrine") != 0)
		show_page(page);
	return show_help(c);
}

const struct command cmd_help = {
	.name = "help",
	.arguments = "[COMMAND...]",
	.summary = "Show the manual of a command",
	.run = run,
	.as_root = true,
};
