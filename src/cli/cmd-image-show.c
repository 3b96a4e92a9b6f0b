#include "base/buf.h"
#include "base/text.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/store.h"

#define MEGABYTE   1000000U
#define SHORT_HEX  12
#define VALUE_MAX  200U /* bytes of a value that are shown */
#define NAME_WIDTH "%-14s"

static void add_line(struct buf *text, const char *name, const char *value)
{
	_cleanup_free_ char *shown = text_escape(value, VALUE_MAX);

	buf_addf(text, NAME_WIDTH "%s\n", name, *shown ? shown : "-");
}

static void add_generations(struct buf *text, const struct store *store, const char *name)
{
	_cleanup_(error_freep) struct error *error = NULL;
	_cleanup_free_ uint32_t *all = NULL;
	uint32_t current;
	size_t n;

	if (image_generations(store, name, &all, &n, &current, &error) < 0)
		return; /* removed just now */
	buf_addf(text, NAME_WIDTH, "generations");
	for (size_t i = 0; i < n; i++)
		buf_addf(text, "%s%u%s", i ? " " : "", all[i], all[i] == current ? "*" : "");
	buf_adds(text, "\n");
}

static void describe(const struct store *store, const struct manifest *m, struct buf *text)
{
	_cleanup_free_ char *base =
		m->base ? xasprintf("%s, generation %u", m->base, m->base_generation) : xstrdup("");
	_cleanup_free_ char *generation = xasprintf("%u", m->generation);

	add_line(text, "name", m->name);
	add_line(text, "generation", generation);
	add_generations(text, store, m->name);
	add_line(text, "store", store->path);
	add_line(text, "created", m->created);
	add_line(text, "source", m->source);
	add_line(text, "suite", m->suite);
	add_line(text, "architecture", m->architecture);
	add_line(text, "base", base);
	for (size_t i = 0; i < m->n_layers; i++)
		buf_addf(text, NAME_WIDTH "%.*s %llu MB, %llu files\n", "layer", SHORT_HEX,
			 m->layers[i].digest, (unsigned long long)(m->layers[i].bytes / MEGABYTE),
			 (unsigned long long)m->layers[i].files);
	for (size_t i = 0; i < m->n_packages; i++) {
		_cleanup_free_ char *package = xasprintf("%s %s", m->packages[i].name,
							 m->packages[i].version);

		add_line(text, "package", package);
	}
}

static int show(enum store_kind kind, const char *home, const char *name, bool json,
		struct error **err)
{
	_cleanup_(store_release) struct store store = STORE_NONE;
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	_cleanup_free_ char *rendered = NULL, *line = NULL;
	_cleanup_buf_ struct buf text = { 0 };
	int r;

	r = store_open(kind, home, false, &store, err);
	if (r == 0)
		r = image_read(&store, name, 0, &m, err);
	if (r == 0 && json)
		r = manifest_render(m, &rendered, err);
	if (r < 0)
		return r;
	if (json) {
		line = xasprintf("%s\n", rendered);
		return cli_print(line);
	}
	describe(&store, m, &text);
	return cli_print(text.data);
}

static int run_show(int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "the manifest as it is, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_(image_release) struct image image = IMAGE_NONE;
	_cleanup_(image_owner_release) struct image_owner owner = IMAGE_OWNER_NONE;
	struct error *error = NULL;
	const char *name;
	int r = options_parse_single(&cmd_image_show, rows, "image", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (image_check_name(name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	r = image_owner_gather(&owner, &error);
	if (r == 0) /* locked, so that what is shown is there */
		r = image_open(owner.home, name, &image, &error);
	if (r == 0)
		r = show(image.kind, owner.home, name, json, &error);
	return r < 0 ? cli_fail(error, EXIT_FAILED) : r;
}

const struct command cmd_image_show = {
	.noun = "image",
	.root_noun = "admin image",
	.name = "show",
	.arguments = "IMAGE",
	.summary = "Tell what an image is made of",
	.run = run_show,
};
