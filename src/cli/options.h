#pragma once

/*
 * Options of a command as a table: parser, --help and completion come from the same rows. Options
 * end at the first word that is none, or at "--": what follows belongs to the application.
 */

#include <stdbool.h>

#include "cli/cli.h"

struct option_row {
	const char *name;  /* long name; with a value "NAME=" is shown */
	char letter;	   /* short name of a switch: "-f" alone, never "-fx"; 0: it has none */
	const char *value; /* what the value is called in --help; NULL: the option is a switch.
			      cli/table.c says how each of these is completed */
	const char *const *choices; /* all that the value may be, NULL-terminated; NULL: anything */
	const char *help;
	bool *flag;	   /* set to true by a switch */
	const char **text; /* set to the value, which lives in argv */
};

/* `rows` ends with a row without name. Returns the index of the first argument that is no option;
 * -1 after --help was printed (exit EXIT_OK); -2 after an error was reported (exit EXIT_USAGE). */
int options_parse(const struct command *c, const struct option_row *rows, int argc, char **argv);

/* The same for a command with exactly one argument, which options may follow too. Returns 0 and the
 * argument; `what` completes "give one ...". */
int options_parse_single(const struct command *c, const struct option_row *rows, const char *what,
			 int argc, char **argv, const char **ret_argument);

/* The same where the argument may be missing: NULL. */
int options_parse_optional(const struct command *c, const struct option_row *rows, const char *what,
			   int argc, char **argv, const char **ret_argument);

/* The same where more may follow: the index of what does. */
int options_parse_leading(const struct command *c, const struct option_row *rows, int argc,
			  char **argv, const char **ret_argument);

/* The exit status that belongs to a negative result of these. */
static inline int options_status(int r)
{
	return r == -1 ? EXIT_OK : EXIT_USAGE;
}
