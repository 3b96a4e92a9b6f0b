#pragma once

/* The file choosers of desktops, and how each is asked. Pure. */

#include <stdbool.h>

enum choice {
	CHOOSE_FILE,
	CHOOSE_DIRECTORY,
	CHOOSE_NEW, /* a file that is to be made, or written over */
	CHOICE_MAX,
};

struct chooser {
	const char *program;
	bool kde;			    /* belongs to that desktop, and looks like it */
	const char *common[2];		    /* words, NULL-terminated */
	const char *choices[CHOICE_MAX][3]; /* more of them */
	int cancelled;			    /* exit status for "cancel", besides 1 */
};

#define CHOOSERS 4U

/* All choosers, those that fit the desktop first. `desktop` is XDG_CURRENT_DESKTOP, names with
 * colons between; may be NULL. */
void chooser_order(const char *desktop, const struct chooser *ret[CHOOSERS]);

/* The words of the call; argv[0] is the program's name. Owned by the caller. */
char **chooser_argv(const struct chooser *c, enum choice choice, const char *title);

/* Does this exit status mean that nothing was picked? */
bool chooser_is_cancelled(const struct chooser *c, int code);
