#include <jansson.h>

#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/store.h"

#define MEGABYTE 1000000U

typedef void row_fn(void *user, enum store_kind kind, const struct manifest *m);

static void add_text(void *user, enum store_kind kind, const struct manifest *m)
{
	_cleanup_free_ char *suite = text_escape(m->suite, 32);
	_cleanup_free_ char *created = text_escape(m->created, 32);

	buf_addf(user, "%-20s %-7s %10u %-12s %8llu %8llu %9zu  %s\n", m->name,
		 store_kind_to_string(kind), m->generation, suite,
		 (unsigned long long)(manifest_bytes(m) / MEGABYTE),
		 (unsigned long long)manifest_files(m), m->n_packages, created);
}

static void add_json(void *user, enum store_kind kind, const struct manifest *m)
{
	json_array_append_new(user, json_pack("{ss ss si ss ss sI sI sI sI}", "name", m->name,
					      "store", store_kind_to_string(kind), "generation",
					      (int)m->generation, "suite", m->suite, "created",
					      m->created, "bytes", (json_int_t)manifest_bytes(m),
					      "files", (json_int_t)manifest_files(m), "layers",
					      (json_int_t)m->n_layers, "packages",
					      (json_int_t)m->n_packages));
}

static int list_store(enum store_kind kind, const char *home, row_fn *add, void *user,
		      struct error **err)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_strv_ char **names = NULL;
	int r = store_open(kind, home, false, &store, err);

	if (r == -ENOENT) { /* nothing was ever made there */
		*err = error_free(*err);
		return 0;
	}
	if (r == 0)
		r = image_names(&store, &names, err);
	for (char **name = names; r == 0 && name && *name; name++) {
		_cleanup_(manifest_freep) struct manifest *m = NULL;

		r = image_read(&store, *name, 0, &m, err);
		if (r == 0)
			add(user, kind, m);
	}
	return r;
}

static int list_all(const char *home, row_fn *add, void *user, struct error **err)
{
	int r = 0;

	for (enum store_kind k = 0; r == 0 && k < STORE_KIND_MAX; k++)
		r = list_store(k, home, add, user, err);
	return r;
}

static int print_table(const char *home, struct error **err)
{
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	buf_addf(&text, "%-20s %-7s %10s %-12s %8s %8s %9s  %s\n", "NAME", "STORE", "GENERATION",
		 "SUITE", "MB", "FILES", "PACKAGES", "CREATED");
	r = list_all(home, add_text, &text, err);
	return r < 0 ? r : cli_print(text.data);
}

static int print_json(const char *home, struct error **err)
{
	json_auto_t *all = json_array();
	_cleanup_free_ char *text = NULL, *line = NULL;
	int r = list_all(home, add_json, all, err);

	if (r < 0)
		return r;
	text = json_dumps(all, JSON_INDENT(2));
	line = xasprintf("%s\n", text ? text : "[]");
	return cli_print(line);
}

static int run_list(int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_(image_owner_release) struct image_owner owner = IMAGE_OWNER_NONE;
	int first = options_parse(&cmd_image_list, rows, argc, argv), r;
	struct error *error = NULL;

	if (first < 0)
		return options_status(first);
	if (first != argc)
		return cli_usage(&cmd_image_list, "takes no argument");
	r = image_owner_gather(&owner, &error);
	if (r == 0)
		r = json ? print_json(owner.home, &error) : print_table(owner.home, &error);
	return r < 0 ? cli_fail(error, EXIT_FAILED) : r;
}

const struct command cmd_image_list = {
	.noun = "image",
	.root_noun = "admin image",
	.name = "list",
	.arguments = "",
	.summary = "List the images",
	.run = run_list,
};
