#include "app/control-client.h"
#include "app/facts.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "session/chooser.h"
#include "session/x11-auth.h"

struct request {
	const char *sandbox;
	bool writable, is_new, directory;
};

/* Choosers say of a missing display what they say of a user who picks nothing. */
static int check_desktop(const char *home, struct error **err)
{
	struct x11_desktop desktop = { 0 };
	int r = x11_desktop_find(getenv("DISPLAY"), getenv("XAUTHORITY"), home, &desktop, err);

	if (r >= 0)
		x11_desktop_release(&desktop);
	return r;
}

static int choose(const struct request *q, const char *id, char **ret_path, struct error **err)
{
	enum choice choice = q->directory ? CHOOSE_DIRECTORY : q->is_new ? CHOOSE_NEW : CHOOSE_FILE;
	_cleanup_free_ char *title = xasprintf("%s for %s%s",
					       q->directory ? "A directory" : "A file", id,
					       q->writable ? ", which may change it" : "");

	return chooser_run(CHOOSER_PROGRAMS, choice, title, ret_path, err);
}

static int open_picked(const struct request *q, const char *home, const char *path,
		       struct given *ret, struct error **err)
{
	_cleanup_(protection_release) struct protection protection = { 0 };
	int r;

	r = protection_gather(home, &protection, err);
	if (r < 0)
		return r;
	return given_open(path, q->is_new, &protection, ret, err);
}

/* The sandbox is looked for first: nobody shall pick a file for nothing. */
static int pick(const struct request *q, char **ret_inside, struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(given_release) struct given given = GIVEN_NONE;
	_cleanup_free_ char *id = NULL, *path = NULL;
	_cleanup_close_ int fd = -EBADF;
	struct control_wish wish = { .limit = GATE_NO_LIMIT };
	int r;

	r = control_connect(q->sandbox, &fd, &id, err);
	if (r >= 0)
		r = facts_gather(&facts, err);
	if (r >= 0)
		r = check_desktop(facts.home, err);
	if (r >= 0)
		r = choose(q, id, &path, err);
	if (r >= 0)
		r = open_picked(q, facts.home, path, &given, err);
	if (r < 0)
		return r;
	wish.access = q->writable ? GATE_READ_WRITE : GATE_READ_ONLY;
	return control_share(fd, &given, &wish, ret_inside, err);
}

static int run(int argc, char **argv)
{
	struct request q = { 0 };
	const struct option_row rows[] = {
		{ .name = "rw", .help = "it may be written as well", .flag = &q.writable },
		{ .name = "new", .help = "a file that is to be made", .flag = &q.is_new },
		{ .name = "directory", .help = "a directory", .flag = &q.directory },
		{ 0 },
	};
	_cleanup_free_ char *inside = NULL;
	struct error *error = NULL;
	int r = options_parse_single(&cmd_pick, rows, "sandbox", argc, argv, &q.sandbox);

	if (r < 0)
		return options_status(r);
	if (q.is_new && q.directory)
		return cli_usage(&cmd_pick, "--new and --directory exclude each other");
	q.writable |= q.is_new;
	if (pick(&q, &inside, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return cli_print_path(inside);
}

const struct command cmd_pick = {
	.name = "pick",
	.arguments = "ID",
	.summary = "Give a sandbox a file chosen in a dialog",
	.run = run,
};
