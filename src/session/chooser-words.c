#include "session/chooser-words.h"

#include <string.h>

#include "base/strv.h"

/* Each prints the path that was picked, and a newline. */
static const struct chooser choosers[CHOOSERS] = {
	{
		.program = "zenity",
		.common = { "--file-selection" },
		.choices = { [CHOOSE_DIRECTORY] = { "--directory" },
			     [CHOOSE_NEW] = { "--save", "--confirm-overwrite" } },
	},
	{
		.program = "kdialog",
		.kde = true,
		.choices = { [CHOOSE_FILE] = { "--getopenfilename" },
			     [CHOOSE_DIRECTORY] = { "--getexistingdirectory" },
			     [CHOOSE_NEW] = { "--getsavefilename" } },
	},
	{
		.program = "yad",
		.common = { "--file" },
		.choices = { [CHOOSE_DIRECTORY] = { "--directory" },
			     [CHOOSE_NEW] = { "--save", "--confirm-overwrite" } },
		.cancelled = 252, /* Escape, or the window was closed */
	},
	{
		.program = "qarma",
		.common = { "--file-selection" },
		.choices = { [CHOOSE_DIRECTORY] = { "--directory" },
			     [CHOOSE_NEW] = { "--save", "--confirm-overwrite" } },
	},
};

static bool is_kde(const char *desktop)
{
	while (desktop && *desktop) {
		size_t n = strcspn(desktop, ":");

		if (n == 3 && !strncmp(desktop, "KDE", n))
			return true;
		desktop += n + (desktop[n] == ':');
	}
	return false;
}

void chooser_order(const char *desktop, const struct chooser *ret[CHOOSERS])
{
	bool kde = is_kde(desktop);
	size_t n = 0;

	for (size_t i = 0; i < CHOOSERS; i++)
		if (kde && choosers[i].kde)
			ret[n++] = &choosers[i];
	for (size_t i = 0; i < CHOOSERS; i++)
		if (!kde || !choosers[i].kde)
			ret[n++] = &choosers[i];
}

char **chooser_argv(const struct chooser *c, enum choice choice, const char *title)
{
	char **argv = NULL;

	strv_add(&argv, c->program);
	/* In one word: a title is no option, whatever it begins with. */
	strv_addf(&argv, "--title=%s", title);
	for (const char *const *word = c->common; *word; word++)
		strv_add(&argv, *word);
	for (const char *const *word = c->choices[choice]; *word; word++)
		strv_add(&argv, *word);
	return argv;
}

bool chooser_is_cancelled(const struct chooser *c, int code)
{
	return code == 1 || (c->cancelled && code == c->cancelled);
}
