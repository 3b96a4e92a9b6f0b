#include <jansson.h>

#include "app/facts.h"
#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/image-build.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/store.h"
#include "image/update.h"

#define VERSION_MAX 128

/* "  libpng16-16 1.6.39-2 -> 1.6.39-3", "  fonts-x 1.0 is new", "  y 2 is gone" */
static void add_line(void *user, const char *name, const char *before, const char *after)
{
	_cleanup_free_ char *shown_name = text_escape(name, VERSION_MAX);
	_cleanup_free_ char *old = before ? text_escape(before, VERSION_MAX) : NULL;
	_cleanup_free_ char *new = after ? text_escape(after, VERSION_MAX) : NULL;
	struct buf *text = user;

	if (old && new)
		buf_addf(text, "  %s %s -> %s\n", shown_name, old, new);
	else
		buf_addf(text, "  %s %s is %s\n", shown_name, new ? new : old,
			 new ? "new" : "gone");
}

static void add_object(void *user, const char *name, const char *before, const char *after)
{
	json_array_append_new(
		user, json_pack("{ss ss? ss?}", "package", name, "before", before, "after", after));
}

static void add_text(struct buf *text, const char *name, const struct build_result *made)
{
	if (!made->after) {
		buf_addf(text, "%s: nothing has changed\n", name);
		return;
	}
	buf_addf(text, "%s: generation %u\n", name, made->after->generation);
	update_changes(made->before, made->after, add_line, text);
}

static void add_json(json_t *all, const char *name, const struct build_result *made)
{
	const struct manifest *now = made->after ? made->after : made->before;
	json_t *changes = json_array();

	if (made->after)
		update_changes(made->before, made->after, add_object, changes);
	json_array_append_new(all, json_pack("{ss sI sb so}", "name", name, "generation",
					     (json_int_t)now->generation, "changed",
					     made->after != NULL, "packages", changes));
}

struct update {
	struct build build;
	char **updated;
	bool json;
	json_t *all;
	struct buf text;
};

static void update_release(struct update *u)
{
	strv_free(u->updated);
	json_decref(u->all);
	buf_release(&u->text);
}

static int update_one(struct update *u, const char *name)
{
	_cleanup_(build_result_release) struct build_result made = { 0 };
	int status;

	u->build.name = name;
	status = image_build_and_show(&u->build, &made);
	if (status != EXIT_OK)
		return status;
	if (u->json)
		add_json(u->all, name, &made);
	else
		add_text(&u->text, name, &made);
	return EXIT_OK;
}

static int print(struct update *u)
{
	_cleanup_free_ char *text = NULL, *line = NULL;

	if (!u->json)
		return cli_print(u->text.data ? u->text.data : "");
	text = json_dumps(u->all, JSON_INDENT(2));
	line = xasprintf("%s\n", text ? text : "[]");
	return cli_print(line);
}

/* What could be updated is, and told, whatever fails after it. */
static int update_all(struct update *u, char *const *order)
{
	int status = EXIT_OK, printed;

	for (; order && *order && status == EXIT_OK; order++)
		status = update_one(u, *order);
	printed = print(u);
	return status != EXIT_OK ? status : printed;
}

static int run_update(int argc, char **argv)
{
	_cleanup_(update_release) struct update u = { .all = json_array() };
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &u.json },
		{ .name = "offline",
		  .help = "of lists and packages that were fetched before",
		  .flag = &u.build.offline },
		{ 0 },
	};
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_strv_ char **order = NULL;
	struct error *error = NULL;
	int first = options_parse(&cmd_image_update, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	for (int i = first; i < argc; i++)
		if (image_check_name(argv[i], &error) < 0)
			return cli_fail(error, EXIT_USAGE);
	if (facts_gather(&facts, &error) < 0 ||
	    update_order(facts.home, argv + first, &order, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	u.build.home = facts.home;
	u.build.trust = true;
	u.build.updated = &u.updated;
	return update_all(&u, order);
}

const struct command cmd_image_update = {
	.noun = "image",
	.name = "update",
	.arguments = "[IMAGE...]",
	.summary = "Make images again of the packages of today",
	.run = run_update,
};
