#include <jansson.h>
#include <string.h>

#include "app/control-client.h"
#include "base/buf.h"
#include "base/text.h"
#include "cli/change-text.h"
#include "cli/cli.h"
#include "cli/options.h"

/* JSON has no bytes that are not UTF-8: a path with such is escaped as a whole. */
static json_t *path_to_json(const char *path)
{
	json_t *json = json_string(path);
	_cleanup_free_ char *shown = json ? NULL : text_escape(path, strlen(path));

	return json ? json : json_string(shown);
}

static int print_json(const struct changes *c)
{
	json_auto_t *all = json_array();
	json_auto_t *whole = NULL;
	_cleanup_free_ char *text = NULL, *line = NULL;

	for (size_t i = 0; i < c->n; i++)
		(void)json_array_append_new(all, json_pack("{s:s, s:s, s:I, s:o}", "change",
							   change_kind_to_string(c->list[i].kind),
							   "type",
							   change_type_to_string(c->list[i].type),
							   "size", (json_int_t)c->list[i].size,
							   "path", path_to_json(c->list[i].path)));
	whole = json_pack("{s:O, s:b}", "changes", all, "more", (int)c->more);
	text = json_dumps(whole, JSON_INDENT(2));
	line = xasprintf("%s\n", text ? text : "{}");
	return cli_print(line);
}

static int print_text(const struct changes *c, bool all)
{
	_cleanup_buf_ struct buf text = { 0 };

	for (size_t i = 0; i < c->n; i++) {
		size_t within;

		change_describe(&text, c, i, &within);
		buf_adds(&text, "\n");
		i += all ? 0 : within;
	}
	if (c->more)
		buf_adds(&text, "... and more\n");
	return cli_print(text.data ? text.data : "");
}

static int run(int argc, char **argv)
{
	bool json = false, all = false, temporary = false;
	const struct option_row rows[] = {
		{ .name = "all",
		  .help = "what is in new directories too, each by itself",
		  .flag = &all },
		{ .name = "json", .help = "an object, for programs", .flag = &json },
		{ .name = "temporary", .help = "/tmp and /var/tmp too", .flag = &temporary },
		{ 0 },
	};
	_cleanup_(changes_release) struct changes changes = { 0 };
	_cleanup_close_ int fd = -EBADF;
	struct error *error = NULL;
	const char *name;
	int r = options_parse_single(&cmd_changes, rows, "sandbox", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (control_connect(name, &fd, NULL, &error) < 0 ||
	    control_changes(fd, temporary, &changes, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return json ? print_json(&changes) : print_text(&changes, all);
}

const struct command cmd_changes = {
	.name = "changes",
	.arguments = "ID",
	.summary = "List what an application has changed",
	.run = run,
};
