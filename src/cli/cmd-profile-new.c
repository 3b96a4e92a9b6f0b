#include "app/facts.h"
#include "app/new-profile.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "image/recipe.h"

static int write_both(const struct new_profile *n, char **ret_text, struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_free_ char *profile = NULL, *recipe = NULL;
	int r;

	r = facts_gather(&facts, err);
	if (r < 0)
		return r;
	r = new_profile_write(n, facts.home, &profile, &recipe, err);
	if (r < 0)
		return r;
	*ret_text = xasprintf("%s\n%s\nLook at them, then:\n"
			      "  vitrine image build %s\n  vitrine run %s\n",
			      profile, recipe, n->name, n->name);
	return 0;
}

static int run(int argc, char **argv)
{
	struct new_profile n = { .base = "base" };
	const struct option_row rows[] = {
		{ .name = "package",
		  .value = "PACKAGE",
		  .help = "Debian package of the application",
		  .text = &n.package },
		{ .name = "base",
		  .value = "IMAGE",
		  .help = "image that the package is installed over; default: base",
		  .text = &n.base },
		{ 0 },
	};
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;
	int r = options_parse_single(&cmd_profile_new, rows, "name", argc, argv, &n.name);

	if (r < 0)
		return options_status(r);
	if (!name_is_valid(n.name))
		return cli_usage(&cmd_profile_new,
				 "a name has characters a-z, 0-9 and -, at most 63");
	if (!n.package || !recipe_is_package(n.package))
		return cli_usage(&cmd_profile_new, "--package needs the name of a package");
	if (!name_is_valid(n.base))
		return cli_usage(&cmd_profile_new, "--base needs the name of an image");
	if (write_both(&n, &text, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return cli_print(text);
}

const struct command cmd_profile_new = {
	.noun = "profile",
	.name = "new",
	.arguments = "NAME",
	.summary = "Write a profile and a recipe for a package",
	.run = run,
};
