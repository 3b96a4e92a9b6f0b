#include "cli/first-image.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/image-build.h"
#include "image/recipe.h"
#include "image/store.h"

#define MEBIBYTE (UINT64_C(1) << 20)

/* What its base costs, where that is missing too. */
static void add_base(const char *home, const struct recipe *recipe, uint32_t *minutes,
		     uint64_t *size)
{
	_cleanup_(recipe_freep) struct recipe *base = NULL;
	struct error *error = NULL;

	if (!recipe->base || image_is_there(home, recipe->base))
		return;
	if (recipe_load(home, recipe->base, &base, &error) < 0) {
		error_free(error); /* the build says it */
		return;
	}
	*minutes += base->minutes;
	*size += base->size;
}

static bool ask(const char *home, const char *image, const struct recipe *recipe)
{
	char answer[16] = "";
	uint32_t minutes = recipe->minutes;
	uint64_t size = recipe->size;

	add_base(home, recipe, &minutes, &size);
	fprintf(stderr,
		"vitrine: the image '%s' is not there yet. Building it takes about %u minutes and "
		"%llu MiB of disk.\n"
		"Build it now? [y/N] ",
		image, minutes, (unsigned long long)(size / MEBIBYTE));
	if (read(STDIN_FILENO, answer, sizeof answer - 1) <= 0)
		return false;
	return !strcmp(answer, "y\n") || !strcmp(answer, "yes\n");
}

static int offer(const char *home, const char *image, bool unasked)
{
	_cleanup_(recipe_freep) struct recipe *recipe = NULL;
	_cleanup_(build_result_release) struct build_result made = { 0 };
	const struct build build = { .home = home, .name = image };
	struct error *error = NULL;

	if (recipe_load(home, image, &recipe, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	if (!unasked &&
	    (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || !ask(home, image, recipe))) {
		error_set(&error, ENOENT,
			  "image '%s' is missing: run 'vitrine image build %s' first", image,
			  image);
		return cli_fail(error, EXIT_SETUP);
	}
	return image_build_and_show(&build, &made) == EXIT_OK ? EXIT_OK : EXIT_SETUP;
}

int first_image(const struct facts *facts, const struct profile *profile, bool unasked)
{
	const char *const images[] = {
		profile->image,
		profile->display != DISPLAY_NONE ? DISPLAY_IMAGE : NULL,
	};

	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		int status = images[i] && !image_is_there(facts->home, images[i])
				     ? offer(facts->home, images[i], unasked)
				     : EXIT_OK;

		if (status != EXIT_OK)
			return status;
	}
	return EXIT_OK;
}
