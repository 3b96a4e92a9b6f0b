#include "cli/table.h"

#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "cli/commands.h"
#include "profile/keys.h"

/* What the words in `arguments` of commands and in `value` of options stand for. "any" is what
 * nobody can complete. */
static const struct word {
	const char *command; /* the page of a command; NULL: all that have no row of their own */
	const char *word;
	const char *kind;
} kinds[] = {
	{ "vitrine-admin-image-build", "IMAGE", "recipe" },
	{ "vitrine-help", "COMMAND", "command" },
	{ "vitrine-home-export", "NAME", "home" },
	{ "vitrine-home-rm", "NAME", "home" },
	{ "vitrine-image-build", "IMAGE", "recipe" },
	{ "vitrine-profile-diff", "A", "profile" },
	{ "vitrine-profile-diff", "B", "profile" },
	{ "vitrine-profile-test", "NAME", "profile" },
	{ "vitrine-run", "ARG", "file" },
	{ NULL, "ARG", "any" },
	{ NULL, "COMMAND", "any" },
	{ NULL, "DIR", "directory" },
	{ NULL, "FILE", "file" },
	{ NULL, "GENERATION", "any" },
	{ NULL, "ID", "sandbox" },
	{ NULL, "IMAGE", "image" },
	{ NULL, "KEY", "key" },
	{ NULL, "N", "any" },
	{ NULL, "NAME", "any" },
	{ NULL, "NUMBER", "any" },
	{ NULL, "PACKAGE", "package" },
	{ NULL, "PATH", "file" },
	{ NULL, "PROFILE", "profile" },
	{ NULL, "PROGRAM", "file" },
	{ NULL, "SECONDS", "any" },
	{ NULL, "SIZE", "any" },
	{ NULL, "SUITE", "any" },
	{ NULL, "USER", "user" },
};

/* "unknown", which a test refuses, for a word that has no row. */
static const char *kind_of(const char *page, const char *word)
{
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if ((!kinds[i].command || !strcmp(kinds[i].command, page)) &&
		    !strcmp(kinds[i].word, word))
			return kinds[i].kind;
	return "unknown";
}

static void add_choices(struct buf *text, const char *const *choices)
{
	for (const char *const *choice = choices; *choice; choice++)
		buf_addf(text, "%s%s", choice == choices ? "=" : " ", *choice);
}

int table_print_options(const struct command *c, const struct option_row *rows)
{
	_cleanup_free_ char *page = command_page(c);
	_cleanup_buf_ struct buf text = { 0 };

	for (; rows->name; rows++) {
		const char letter[] = { '-', rows->letter, '\0' };

		buf_addf(&text, "option\t--%s\t%s\t", rows->name, letter);
		if (rows->choices)
			add_choices(&text, rows->choices);
		else
			buf_adds(&text, rows->value ? kind_of(page, rows->value) : "-");
		buf_addf(&text, "\t%s\n", rows->help);
	}
	buf_adds(&text, "option\t--help\t-\t-\tprint this\n");
	return cli_print(text.data);
}

/* A word of `arguments`: "[ID...]", "FILE|DIRECTORY", "ID...|--all". What may stand instead is of
 * the same kind, or no argument. */
static void add_argument(struct buf *text, const char *page, const char *word, size_t length)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t begin = strspn(word, "["), n = strspn(word + begin, letters);
	_cleanup_free_ char *name = xstrndup(word + begin, n);
	bool more = memmem(word, length, "...", 3) != NULL;

	if (n)
		buf_addf(text, "argument\t%s\t%s\t%s\n", name, kind_of(page, name),
			 more ? "more" : "1");
}

/* What follows is the application's, and options may come before it. */
static bool ends_options(const char *word, size_t length)
{
	return length == 3 && !strncmp(word, "[--", length);
}

static int print_command(const struct command *c, const char *call)
{
	_cleanup_free_ char *page = command_page(c), *name = xstrdup(c->name),
			    *option = xstrdup(TABLE_OPTION);
	char *argv[] = { name, option, NULL };
	_cleanup_buf_ struct buf text = { 0 };

	buf_addf(&text, "command\t%s\t%s\t%s\n", call, page, c->summary);
	for (const char *word = c->arguments; *word;) {
		size_t length = strcspn(word, " ");

		if (ends_options(word, length))
			break;
		add_argument(&text, page, word, length);
		word += length + strspn(word + length, " ");
	}
	/* The rows of its options have pointers to what is local to it. */
	return cli_print(text.data) == EXIT_OK ? c->run(2, argv) : EXIT_FAILED;
}

static int print_commands(const char *above, const struct command *const *table)
{
	int status = EXIT_OK;

	for (; *table && status == EXIT_OK; table++) {
		const struct command *c = *table;
		_cleanup_free_ char *call = xasprintf("%s%s", above, c->name);
		_cleanup_free_ char *below = xasprintf("%s ", call), *page = command_page(c);
		_cleanup_free_ char *noun = xasprintf("noun\t%s\t%s\t%s\n", call, page, c->summary);

		status = c->verbs ? cli_print(noun) : print_command(c, call);
		if (c->verbs && status == EXIT_OK)
			status = print_commands(below, c->verbs);
	}
	return status;
}

static int print_keys(void)
{
	_cleanup_buf_ struct buf text = { 0 };

	for (size_t i = 0; key_at(i); i++)
		buf_addf(&text, "key\t%s.%s\n", key_at(i)->section, key_at(i)->name);
	return cli_print(text.data);
}

int table_print(void)
{
	int status = print_commands("", commands);

	return status == EXIT_OK ? print_keys() : status;
}
