#include <fcntl.h>
#include <jansson.h>
#include <string.h>

#include "app/registry.h"
#include "app/state.h"
#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/options.h"

static const struct {
	const char *key, *title;
	int width;
} columns[] = {
	/* clang-format off */
	{ "id", "ID", 20 },
	{ "profile", "PROFILE", 14 },
	{ "state", "STATE", 9 },
	{ "display", "DISPLAY", 8 },
	{ "network", "NETWORK", 8 },
	{ "ids", "IDS", 8 },
	{ "grants", "FILES", 5 },
	{ "started", "STARTED", 20 },
	/* clang-format on */
};

/* One that ended between the listing and the reading is left out. */
static json_t *collect(int runtime, char *const *ids)
{
	json_t *all = json_array();

	for (; ids && *ids; ids++) {
		_cleanup_(error_freep) struct error *error = NULL;
		_cleanup_close_ int dir = -EBADF;
		json_t *one;

		if (registry_open(runtime, *ids, &dir, &error) < 0 ||
		    state_read(dir, &one, &error) < 0)
			continue;
		json_array_append_new(all, one);
	}
	return all;
}

/* Of a list its length; owned by the caller. */
static char *show(const json_t *value)
{
	const char *text = json_string_value(value);

	if (json_is_array(value))
		return xasprintf("%zu", json_array_size(value));
	return text_escape(text ? text : "?", 128);
}

static int print_table(const json_t *all)
{
	_cleanup_buf_ struct buf text = { 0 };
	json_t *one;
	size_t i;

	for (size_t c = 0; c < ARRAY_SIZE(columns); c++)
		buf_addf(&text, "%-*s%s", columns[c].width, columns[c].title,
			 c + 1 < ARRAY_SIZE(columns) ? " " : "\n");
	json_array_foreach((json_t *)all, i, one)
	{
		for (size_t c = 0; c < ARRAY_SIZE(columns); c++) {
			_cleanup_free_ char *shown = show(json_object_get(one, columns[c].key));

			buf_addf(&text, "%-*s%s", columns[c].width, shown,
				 c + 1 < ARRAY_SIZE(columns) ? " " : "\n");
		}
	}
	return cli_print(text.data);
}

static int print_json(const json_t *all)
{
	_cleanup_free_ char *text = json_dumps(all, JSON_INDENT(2));
	_cleanup_free_ char *line = xasprintf("%s\n", text ? text : "[]");

	return cli_print(line);
}

static int run(int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_close_ int runtime = -EBADF;
	_cleanup_strv_ char **ids = NULL;
	json_auto_t *all = NULL;
	struct error *error = NULL;
	int first = options_parse(&cmd_ps, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (first != argc)
		return cli_usage(&cmd_ps, "takes no argument");
	if (runtime_open(&runtime, &error) < 0 || registry_list(runtime, &ids, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	all = collect(runtime, ids);
	return json ? print_json(all) : print_table(all);
}

const struct command cmd_ps = {
	.name = "ps",
	.arguments = "",
	.summary = "List the running sandboxes",
	.run = run,
};
