#include <stdio.h>

#include "base/strv.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "image/layer.h"

/* Layers that images share are read once. */
struct verified {
	char **digests;
	unsigned images;
	unsigned damaged;
};

static void tell(struct verified *v, struct error *error)
{
	v->damaged++;
	(void)cli_fail(error, EXIT_FAILED);
}

static void verify_layers(const struct store *store, const struct manifest *m, struct verified *v)
{
	for (size_t i = 0; i < m->n_layers; i++) {
		struct error *error = NULL;

		if (strv_contains(v->digests, m->layers[i].digest))
			continue;
		strv_add(&v->digests, m->layers[i].digest);
		if (layer_verify(store, m->layers[i].digest, &error) < 0) {
			(void)error_prefix(&error, "image '%s'", m->name);
			tell(v, error);
		}
	}
}

static void verify_image(const struct store *store, const char *name, struct verified *v)
{
	_cleanup_(manifest_freep) struct manifest *m = NULL;
	struct error *error = NULL;
	int r = image_read(store, name, 0, &m, &error);

	v->images++;
	if (r < 0)
		tell(v, error);
	else
		verify_layers(store, m, v);
}

/* All images of a store, or those that are named and are in it. */
static int verify_store(enum store_kind kind, const char *home, char *const *wanted,
			struct verified *v, struct error **err)
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
	for (char **name = names; r == 0 && name && *name; name++)
		if (!*wanted || strv_contains(wanted, *name))
			verify_image(&store, *name, v);
	return r;
}

static int check_names(const char *home, char *const *names, struct error **err)
{
	int r = 0;

	for (; r == 0 && *names; names++) {
		_cleanup_(image_release) struct image image = IMAGE_NONE;

		r = image_check_name(*names, err);
		if (r == 0 && !image_is_there(home, *names))
			r = image_open(home, *names, &image, err); /* says what there is */
	}
	return r;
}

static int run_verify(int argc, char **argv)
{
	const struct option_row rows[] = { { 0 } };
	_cleanup_(image_owner_release) struct image_owner owner = IMAGE_OWNER_NONE;
	int first = options_parse(&cmd_image_verify, rows, argc, argv), r;
	struct verified v = { 0 };
	struct error *error = NULL;

	if (first < 0)
		return options_status(first);
	r = image_owner_gather(&owner, &error);
	if (r == 0)
		r = check_names(owner.home, argv + first, &error);
	for (enum store_kind k = 0; r == 0 && k < STORE_KIND_MAX; k++)
		r = verify_store(k, owner.home, argv + first, &v, &error);
	if (r < 0) {
		strv_free(v.digests);
		return cli_fail(error, EXIT_FAILED);
	}
	if (!v.damaged)
		printf("%u images, %zu layers: every byte is as it was made\n", v.images,
		       strv_length(v.digests));
	strv_free(v.digests);
	return v.damaged ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_image_verify = {
	.noun = "image",
	.root_noun = "admin image",
	.name = "verify",
	.arguments = "[IMAGE...]",
	.summary = "Read every byte of images and compare",
	.run = run_verify,
};
