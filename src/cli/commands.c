#include "cli/commands.h"

#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"

/* clang-format off */
const struct command *const commands[] = {
	&cmd_run, &cmd_ps, &cmd_stop, &cmd_enter, &cmd_share, &cmd_unshare, &cmd_pick, &cmd_changes,
	&cmd_keep, &cmd_review, &cmd_logs, &cmd_top, &cmd_attach, &cmd_detach, &cmd_doctor,
	&cmd_profile, &cmd_home, &cmd_image, &cmd_admin, &cmd_help, NULL,
};
/* clang-format on */

/* `above` are the words before a command of the table, with a blank at their end. A noun behind a
 * noun is one line. */
static void describe(struct buf *text, const char *above, const struct command *const *table)
{
	for (; *table; table++) {
		_cleanup_free_ char *call = xasprintf("%s%s ", above, (*table)->name);
		_cleanup_free_ char *left = xasprintf("%s%s", call, (*table)->arguments);

		if ((*table)->verbs && !*above)
			describe(text, call, (*table)->verbs);
		else
			buf_addf(text, "  %-31s %s\n", left, (*table)->summary);
	}
}

int commands_help(void)
{
	_cleanup_buf_ struct buf text = { 0 };

	buf_adds(&text, "Usage: vitrine COMMAND [OPTION...] [ARGUMENT...]\n"
			"Runs desktop applications in throw-away containers.\n\nCommands:\n");
	describe(&text, "", commands);
	buf_adds(&text, "\n'vitrine COMMAND --help' tells more; the manual is vitrine(1),\n"
			"a page of it 'vitrine help COMMAND'.\n");
	return cli_print(text.data);
}

int commands_help_noun(const struct command *noun)
{
	_cleanup_free_ char *call = command_call(noun), *above = xasprintf("%s ", call);
	_cleanup_free_ char *page = command_page(noun);
	_cleanup_buf_ struct buf text = { 0 };

	buf_addf(&text, "Usage: vitrine %s %s [OPTION...] [ARGUMENT...]\n%s.\n\nVerbs:\n", call,
		 noun->arguments, noun->summary);
	describe(&text, above, noun->verbs);
	buf_addf(&text, "\nThe manual is %s(1).\n", page);
	return cli_print(text.data);
}

const struct command *commands_find(const struct command *const *table, const char *name)
{
	for (; *table; table++)
		if (!strcmp((*table)->name, name))
			return *table;
	return NULL;
}

int commands_unknown(const struct command *noun, const char *name)
{
	const struct command *const *table = noun ? noun->verbs : commands;
	_cleanup_free_ char *call = noun ? command_call(noun) : xstrdup("");
	const char *what = noun ? "verb" : "command";
	_cleanup_free_ char *shown = text_escape(name, 64);
	_cleanup_strv_ char **names = NULL;
	struct error *error = NULL;
	const char *near;

	for (; *table; table++)
		strv_add(&names, (*table)->name);
	near = text_suggest(name, names);
	if (near)
		error_set(&error, EINVAL, "unknown %s '%s': did you mean '%s'?", what, shown, near);
	else
		error_set(&error, EINVAL, "unknown %s '%s': see 'vitrine %s%s--help'", what, shown,
			  call, noun ? " " : "");
	return cli_fail(error, EXIT_USAGE);
}
