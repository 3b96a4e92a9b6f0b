/*
 * Building runs programs of packages, which root does not do: an ordinary user builds the image for
 * himself, and root takes it in as he would take any other one that is imported.
 */

#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>

#include "base/spawn.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/image-commands.h"
#include "cli/options.h"
#include "cli/transfer-view.h"
#include "image/import.h"

#define RUNUSER	 "/usr/sbin/runuser"
#define WORK_DIR "/var/tmp"

/* The one who called sudo, unless another is named. */
static int check_user(const char **name, struct error **err)
{
	const char *user = *name ? *name : getenv("SUDO_USER");
	const struct passwd *p;

	if (!user)
		return error_set(err, EINVAL,
				 "who is to build it? name an ordinary user with --user");
	p = getpwnam(user);
	if (!p) {
		_cleanup_free_ char *shown = text_escape(user, NAME_LENGTH_MAX);

		return error_set(err, ENOENT, "there is no user '%s'", shown);
	}
	if (p->pw_uid == 0)
		return error_set(err, EPERM, "root builds no images: name an ordinary user");
	*name = user;
	return 0;
}

/* Runs `vitrine image ARGUMENT...` as that user. */
static int run_as(const char *user, char *const *arguments, int output, struct error **err)
{
	static const char *const kept[] = { "TERM", "NO_COLOR", "http_proxy", "https_proxy", NULL };
	_cleanup_(child_end) struct child child = CHILD_NONE;
	_cleanup_strv_ char **argv = NULL, **env = spawn_env(kept);
	char self[4096] = "";
	int status, r;

	if (readlink("/proc/self/exe", self, sizeof self - 1) < 0)
		return error_errno(err, "cannot find this program");
	strv_add(&argv, RUNUSER);
	strv_add(&argv, "-u");
	strv_add(&argv, user);
	strv_add(&argv, "--");
	strv_add(&argv, self);
	strv_add(&argv, "image");
	strv_add_all(&argv, arguments);
	r = spawn(&(struct spawn){ .argv = argv,
				   .env = env,
				   .fds = (int[]){ STDIN_FILENO, output, STDERR_FILENO },
				   .n_fds = 3 },
		  &child, err);
	if (r == 0)
		r = child_wait(&child, -1, &status, err);
	if (r < 0)
		return r;
	return status == 0 ? 0 : error_set(err, EIO, "user '%s' has not made the image", user);
}

static int build(const char *user, const char *name, const char *suite, struct error **err)
{
	_cleanup_strv_ char **argv = NULL;

	strv_add(&argv, "build");
	if (suite)
		strv_addf(&argv, "--suite=%s", suite);
	strv_add(&argv, name);
	return run_as(user, argv, STDERR_FILENO, err);
}

static int take_in(const char *user, const char *name, int file, struct error **err)
{
	char *const argv[] = { (char *)"save", (char *)"--format=oci", (char *)name, NULL };
	_cleanup_free_ char *path = xasprintf("/proc/self/fd/%d", file);
	_cleanup_free_ char *source = xasprintf("recipe %s, built by user %s", name, user);
	struct transfer_view view;
	struct import_result result;
	const struct import import = {
		.name = name,
		.path = path,
		.source = source,
		.format = IMPORT_OCI,
		.progress = transfer_view_show,
		.user = &view,
	};
	int r = run_as(user, argv, file, err);

	if (r < 0)
		return r;
	transfer_view_begin(&view, name);
	r = image_import(&import, &result, err);
	transfer_view_end(&view);
	return r;
}

static int run_build(int argc, char **argv)
{
	_cleanup_close_ int file = -EBADF;
	const char *user = NULL, *suite = NULL, *name;
	const struct option_row rows[] = {
		{ .name = "user",
		  .value = "USER",
		  .help = "who builds it; default: the caller of sudo",
		  .text = &user },
		{ .name = "suite",
		  .value = "SUITE",
		  .help = "release of the packages; default: the recipe's",
		  .text = &suite },
		{ 0 },
	};
	struct error *error = NULL;
	int r = options_parse_single(&cmd_admin_image_build, rows, "image", argc, argv, &name);

	if (r < 0)
		return options_status(r);
	if (image_check_name(name, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	if (check_user(&user, &error) < 0 || build(user, name, suite, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	file = open(WORK_DIR, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	if (file < 0)
		error_errno(&error, "cannot make a file in '" WORK_DIR "'");
	if (file < 0 || take_in(user, name, file, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return EXIT_OK;
}

const struct command cmd_admin_image_build = {
	.noun = "admin image",
	.name = "build",
	.arguments = "IMAGE",
	.summary = "Let a user build an image, and take it in",
	.run = run_build,
};
