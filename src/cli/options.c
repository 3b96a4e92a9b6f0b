#include "cli/options.h"

#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/table.h"

static void help(const struct command *c, const struct option_row *rows)
{
	_cleanup_free_ char *call = command_call(c), *page = command_page(c);
	_cleanup_buf_ struct buf text = { 0 };

	buf_addf(&text, "Usage: vitrine %s [OPTION...]%s%s\n%s.\n\nOptions:\n", call,
		 *c->arguments ? " " : "", c->arguments, c->summary);
	for (; rows->name; rows++) {
		_cleanup_buf_ struct buf left = { 0 };

		buf_addf(&left, "--%s", rows->name);
		if (rows->value)
			buf_addf(&left, "=%s", rows->value);
		if (rows->letter)
			buf_addf(&left, ", -%c", rows->letter);
		buf_addf(&text, "  %-16s %s\n", left.data, rows->help);
	}
	buf_addf(&text, "  %-16s %s\n", "--help", "print this");
	buf_addf(&text, "\nThe manual is %s(1).\n", page);
	(void)cli_print(text.data);
}

static const struct option_row *find(const struct option_row *rows, const char *name, size_t n)
{
	for (; rows->name; rows++)
		if (strlen(rows->name) == n && !strncmp(rows->name, name, n))
			return rows;
	return NULL;
}

static const struct option_row *find_letter(const struct option_row *rows, const char *word)
{
	for (; rows->name; rows++)
		if (rows->letter && rows->letter == word[0] && !word[1])
			return rows;
	return NULL;
}

static bool is_choice(const char *const *choices, const char *value)
{
	while (*choices && strcmp(*choices, value) != 0)
		choices++;
	return *choices;
}

static int refuse_choice(const struct command *c, const struct option_row *row)
{
	_cleanup_strv_ char **choices = NULL;
	_cleanup_free_ char *all = NULL, *shown = text_escape(*row->text, 64);

	for (const char *const *choice = row->choices; *choice; choice++)
		strv_add(&choices, *choice);
	all = strv_join(choices, ", ");
	cli_usage(c, "option '--%s' takes %s%s, not '%s'", row->name,
		  row->choices[1] ? "one of " : "", all, shown);
	return -2;
}

/* One option at argv[i], which begins with "--". Returns how many words it took, or -2. */
static int parse_long(const struct command *c, const struct option_row *rows, int i, int argc,
		      char **argv)
{
	const char *name = argv[i] + 2, *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct option_row *row = find(rows, name, n);
	_cleanup_free_ char *shown = text_escape(argv[i], 64);

	if (!row) {
		cli_usage(c, "unknown option '%s'", shown);
		return -2;
	}
	if (!row->value) {
		if (equals) {
			cli_usage(c, "option '--%s' takes no value", row->name);
			return -2;
		}
		*row->flag = true;
		return 1;
	}
	if (!equals && i + 1 >= argc) {
		cli_usage(c, "option '--%s' needs a value: %s", row->name, row->value);
		return -2;
	}
	*row->text = equals ? equals + 1 : argv[i + 1];
	if (row->choices && !is_choice(row->choices, *row->text))
		return refuse_choice(c, row);
	return equals ? 1 : 2;
}

static int parse_short(const struct command *c, const struct option_row *rows, const char *word)
{
	const struct option_row *row = find_letter(rows, word + 1);
	_cleanup_free_ char *shown = text_escape(word, 64);

	if (!row) {
		cli_usage(c, "unknown option '%s'", shown);
		return -2;
	}
	*row->flag = true;
	return 1;
}

int options_parse(const struct command *c, const struct option_row *rows, int argc, char **argv)
{
	int i = 1;

	while (i < argc && argv[i][0] == '-' && argv[i][1]) {
		int n;

		if (!strcmp(argv[i], "--"))
			return i + 1;
		if (!strcmp(argv[i], "--help")) {
			help(c, rows);
			return -1;
		}
		if (!strcmp(argv[i], TABLE_OPTION)) {
			(void)table_print_options(c, rows);
			return -1;
		}
		n = argv[i][1] == '-' ? parse_long(c, rows, i, argc, argv)
				      : parse_short(c, rows, argv[i]);
		if (n < 0)
			return n;
		i += n;
	}
	return i;
}

int options_parse_leading(const struct command *c, const struct option_row *rows, int argc,
			  char **argv, const char **ret_argument)
{
	int first = options_parse(c, rows, argc, argv), after = 0;

	if (first < 0)
		return first;
	if (first < argc)
		after = options_parse(c, rows, argc - first, argv + first);
	if (after < 0)
		return after;
	*ret_argument = first < argc ? argv[first] : NULL;
	return first + after;
}

int options_parse_optional(const struct command *c, const struct option_row *rows, const char *what,
			   int argc, char **argv, const char **ret_argument)
{
	int rest = options_parse_leading(c, rows, argc, argv, ret_argument);

	if (rest < 0)
		return rest;
	if (rest != argc) {
		cli_usage(c, "give one %s", what);
		return -2;
	}
	return 0;
}

int options_parse_single(const struct command *c, const struct option_row *rows, const char *what,
			 int argc, char **argv, const char **ret_argument)
{
	const char *argument;
	int r = options_parse_optional(c, rows, what, argc, argv, &argument);

	if (r < 0)
		return r;
	if (!argument) {
		cli_usage(c, "give one %s", what);
		return -2;
	}
	*ret_argument = argument;
	return 0;
}
