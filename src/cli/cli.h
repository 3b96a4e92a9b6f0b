#pragma once

/*
 * Commands: one file each, one descriptor each. The descriptor's table is the help, the dispatch
 * and the completion; a command reports an error exactly once, here, and returns its exit status.
 */

#include <stdbool.h>

#include "base/error.h"

enum {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_SETUP = 125, /* vitrine itself failed, before or instead of the application */
};

struct command {
	const char
		*noun; /* of a verb: the words before its name; NULL for a daily verb or a noun */
	const char *root_noun; /* those under which root calls it, where they are others */
	const char *name;
	const char *arguments; /* after the options, for --help; may be empty */
	const char *summary;   /* with noun, name and arguments it fits in one line of --help */
	int (*run)(int argc, char **argv);  /* argv[0] is the command; NULL for a noun */
	const struct command *const *verbs; /* of a noun, NULL-terminated */
	bool as_root;			    /* of a noun: root may call it */
	bool only_root;			    /* of a noun: nobody else may */
};

extern const struct command cmd_changes, cmd_home, cmd_keep, cmd_review, cmd_run, cmd_ps, cmd_stop,
	cmd_enter, cmd_share, cmd_unshare, cmd_pick, cmd_logs, cmd_top, cmd_attach, cmd_detach,
	cmd_doctor, cmd_image, cmd_profile, cmd_admin, cmd_help;

extern const struct command cmd_profile_prepare;

/* How it is called: "run", "image list". Owned by the caller. */
char *command_call(const struct command *c);

/* Its page in section 1 of the manual: "vitrine-image-list", and "vitrine" for a noun with nothing
 * before it. Owned by the caller. */
char *command_page(const struct command *c);

/* Prints "vitrine: <message>" on stderr, frees the error, returns `status`. */
int cli_fail(struct error *e, int status);

/* The same for a wrong call, with a pointer to --help; returns EXIT_USAGE. */
int cli_usage(const struct command *c, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes text to stdout. Reports what could not be written; returns the exit status. */
int cli_print(const char *text);

/* The same with a path and a newline. At a terminal a name of a file does not control it; elsewhere
 * every byte is as it is. */
int cli_print_path(const char *path);

/* Says on stderr what became of a path, escaped. */
void cli_say_path(const char *what, const char *path);

/* Are colours wanted on this stream? A terminal, and no NO_COLOR (https://no-color.org). */
int cli_colours(int fd);
