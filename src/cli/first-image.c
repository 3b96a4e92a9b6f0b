#include "cli/first-image.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/image-build.h"
#include "image/recipe.h"
#include "image/store.h"

#define MEBIBYTE (UINT64_C(1) << 20)

static bool ask(const char *image, const struct recipe *recipe)
{
	char answer[16] = "";

	fprintf(stderr,
		"vitrine: the image '%s' is not there yet. Building it takes about %u minutes and "
		"%llu MiB of disk.\n"
		"Build it now? [y/N] ",
		image, recipe->minutes, (unsigned long long)(recipe->size / MEBIBYTE));
	if (read(STDIN_FILENO, answer, sizeof answer - 1) <= 0)
		return false;
	return !strcmp(answer, "y\n") || !strcmp(answer, "yes\n");
}

static int offer(const char *home, const char *image)
{
	_cleanup_(recipe_freep) struct recipe *recipe = NULL;
	struct error *error = NULL;

	if (recipe_load(home, image, &recipe, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO) || !ask(image, recipe)) {
		error_set(&error, ENOENT,
			  "image '%s' is missing: run 'vitrine image build %s' first", image,
			  image);
		return cli_fail(error, EXIT_SETUP);
	}
	return image_build_and_show(home, image, NULL) == EXIT_OK ? EXIT_OK : EXIT_SETUP;
}

int first_image(const struct facts *facts, const struct profile *profile, int display)
{
	bool windows = (display >= 0 ? (enum display_backend)display : profile->display) !=
		       DISPLAY_NONE;
	const char *const images[] = { profile->image, windows ? DISPLAY_IMAGE : NULL };

	for (size_t i = 0; i < ARRAY_SIZE(images); i++) {
		int status = images[i] && !image_is_there(facts->home, images[i])
				     ? offer(facts->home, images[i])
				     : EXIT_OK;

		if (status != EXIT_OK)
			return status;
	}
	return EXIT_OK;
}
