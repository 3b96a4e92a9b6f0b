#include <stdio.h>
#include <string.h>

#include "app/control-client.h"
#include "app/facts.h"
#include "app/keeping.h"
#include "app/launch.h"
#include "cli/cli.h"
#include "cli/first-image.h"
#include "cli/held.h"
#include "cli/left-out.h"
#include "cli/options.h"
#include "profile/load.h"
#include "session/prepared.h"

struct preparation {
	const char *name, *from;
	bool yes;
	struct facts facts;
	struct profile *profile;
	struct permit *permit; /* of the profile, which it takes over */
	struct preparing place;
	int control;
	char *archive_name;
};

static void preparation_release(struct preparation *p)
{
	facts_release(&p->facts);
	profile_free(p->profile);
	permit_free(p->permit);
	preparing_release(&p->place);
	close_fd(p->control);
	free(p->archive_name);
}

/* --- save the home of a sandbox ---------------------------------------------- */

static int start_archive(void *user, int out, struct error **err)
{
	struct preparation *p = user;
	char *const paths[] = { p->facts.home, NULL }, *const names[] = { p->archive_name, NULL };
	const struct control_archive a = {
		.paths = paths,
		.names = names,
		.links = true, /* they are followed inside only */
		.bytes_max = KEEP_BYTES,
		.out = out,
	};

	return control_archive(p->control, &a, err);
}

static int finish_archive(void *user, char **ret_left_out, struct error **err)
{
	return control_walked(((struct preparation *)user)->control, ret_left_out, err);
}

static int save(struct preparation *p, char **ret_left_out, struct error **err)
{
	struct taking t = { .start = start_archive, .finish = finish_archive, .user = p };
	int r;

	r = control_connect(p->from, &p->control, NULL, err);
	if (r >= 0)
		r = prepared_begin(p->facts.home, p->profile->name, &p->place, err);
	if (r < 0)
		return r;
	p->archive_name = xasprintf(TAKING_DIR "/%s", p->place.name);
	t.parent = p->place.dir;
	t.name = p->place.name;
	r = taking_run(&t, ret_left_out, err);
	return r < 0 ? r : prepared_commit(&p->place, err);
}

static bool wants_it(const struct preparation *p)
{
	char answer[16] = "";

	if (p->yes)
		return true;
	fprintf(stderr, "Save this home as the prepared one of '%s'? [y/N] ", p->profile->name);
	return read(STDIN_FILENO, answer, sizeof answer - 1) > 0 &&
	       (!strcmp(answer, "y\n") || !strcmp(answer, "yes\n"));
}

static int save_from(struct preparation *p)
{
	_cleanup_free_ char *left_out = NULL;
	struct error *error = NULL;
	int r;

	if (!wants_it(p))
		return EXIT_OK;
	r = save(p, &left_out, &error);
	left_out_print(left_out, p->archive_name ? p->archive_name : "");
	if (r < 0)
		return cli_fail(error, EXIT_FAILED);
	if (p->profile->home != HOME_PREPARED)
		fprintf(stderr,
			"vitrine: warning: profile '%s' does not use it: it has no "
			"Home=prepared in [Files]\n",
			p->profile->name);
	return EXIT_OK;
}

/* --- open the application ---------------------------------------------------- */

static int start_save(void *user, const char *id, struct child *ret, struct error **err)
{
	const struct preparation *p = user;
	char *const words[] = { (char *)"profile",
				(char *)"prepare",
				(char *)"--from",
				(char *)id,
				(char *)p->name,
				p->yes ? (char *)"--yes" : NULL,
				NULL };

	return held_start(words, ret, err);
}

static void print_note(void *user, const char *note)
{
	(void)user;
	fprintf(stderr, "vitrine: warning: %s\n", note);
}

/* As the last time, if there was one. */
static int choose_home(struct preparation *p, struct error **err)
{
	struct permit_wish home[] = { { "Files", "Home", NULL, "profile prepare" }, { 0 } };
	_cleanup_(error_freep) struct error *none = NULL;
	_cleanup_close_ int fd = -EBADF;
	_cleanup_free_ char *path = NULL;
	int r;

	if (p->profile->home == HOME_KEPT)
		return error_set(err, EINVAL,
				 "profile '%s' has Home=kept: there is nothing to be prepared",
				 p->profile->name);
	r = prepared_open(p->facts.home, p->profile->name, &fd, &path, &none);
	if (r < 0 && r != -ENOENT)
		return error_move(err, TAKE_PTR(none));
	home[0].value = home_mode_to_string(r < 0 ? HOME_EMPTY : HOME_PREPARED);
	return permit_make(TAKE_PTR(p->profile), &p->facts, home, &p->permit, err);
}

static int open_application(struct preparation *p)
{
	struct launch l = {
		.instance = -EBADF,
		.noted = print_note,
		.held = start_save,
		.user = p,
	};
	struct error *error = NULL;
	int code, status;

	if (!p->yes && (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))) {
		error_set(&error, ENOTTY,
			  "a terminal is needed to ask whether to save the home: or use --yes");
		return cli_fail(error, EXIT_FAILED);
	}
	if (choose_home(p, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	l.permit = p->permit;
	status = first_image(&p->facts, permit_profile(p->permit), false);
	if (status != EXIT_OK)
		return status;
	if (launch_run(&l, &code, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	return code;
}

static int run(int argc, char **argv)
{
	struct preparation p = { .place = PREPARING_NONE, .control = -EBADF };
	const struct option_row rows[] = {
		{ .name = "from",
		  .value = "ID",
		  .help = "save the home of this sandbox, and open nothing",
		  .text = &p.from },
		{ .name = "yes", .help = "save without asking", .flag = &p.yes },
		{ 0 },
	};
	struct error *error = NULL;
	int r = options_parse_single(&cmd_profile_prepare, rows, "profile", argc, argv, &p.name);

	if (r < 0)
		return options_status(r);
	if (facts_gather(&p.facts, &error) < 0 ||
	    profile_load(p.name, p.facts.home, &p.profile, &error) < 0)
		r = cli_fail(error, EXIT_FAILED);
	else
		r = p.from ? save_from(&p) : open_application(&p);
	preparation_release(&p);
	return r;
}

const struct command cmd_profile_prepare = {
	.noun = "profile",
	.name = "prepare",
	.arguments = "PROFILE",
	.summary = "Set an application up for all sandboxes",
	.run = run,
};
