#include "cli/options.h"

#include <string.h>

#include "base/buf.h"
#include "base/text.h"

static void help(const struct command *c, const struct option_row *rows)
{
	_cleanup_buf_ struct buf text = { 0 };

	buf_addf(&text, "Usage: vitrine %s [OPTION...] %s\n%s.\n\nOptions:\n", c->name,
		 c->arguments, c->summary);
	for (; rows->name; rows++) {
		_cleanup_free_ char *left = xasprintf("--%s%s%s", rows->name,
						      rows->value ? "=" : "",
						      rows->value ? rows->value : "");

		buf_addf(&text, "  %-24s %s\n", left, rows->help);
	}
	buf_addf(&text, "  %-24s %s\n", "--help", "print this");
	(void)cli_print(text.data);
}

static const struct option_row *find(const struct option_row *rows, const char *name, size_t n)
{
	for (; rows->name; rows++)
		if (strlen(rows->name) == n && !strncmp(rows->name, name, n))
			return rows;
	return NULL;
}

/* One option at argv[i], which begins with "--". Returns how many words it took, or -2. */
static int parse_one(const struct command *c, const struct option_row *rows, int i, int argc,
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
	return equals ? 1 : 2;
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
		if (argv[i][1] != '-') {
			_cleanup_free_ char *shown = text_escape(argv[i], 64);

			cli_usage(c, "unknown option '%s'", shown);
			return -2;
		}
		n = parse_one(c, rows, i, argc, argv);
		if (n < 0)
			return n;
		i += n;
	}
	return i;
}
