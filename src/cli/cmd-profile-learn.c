#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "app/bus-denial.h"
#include "app/facts.h"
#include "app/learn-propose.h"
#include "app/learn-record.h"
#include "app/learn-words.h"
#include "app/launch.h"
#include "app/permit.h"
#include "app/watch-text.h"
#include "cli/first-image.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "profile/load.h"

struct arguments {
	bool forget, show, write;
	const char *name;
	char **words;
};

/* A run that is recorded. */
struct recording {
	int fd;
	struct learn_words words;
	struct error *error; /* the first one */
};

static void recording_release(struct recording *r)
{
	close_fd(r->fd);
	learn_words_release(&r->words);
	error_free(r->error);
}

/* --- the run --------------------------------------------------------------------------------- */

static void record(struct recording *r, json_t *object)
{
	if (r->error)
		json_decref(object);
	else
		(void)learn_record_add(r->fd, object, &r->error);
}

static void on_event(void *user, const struct watch_policy *p, const struct watch_event *e)
{
	struct recording *r = user;
	json_t *object = watch_event_to_json(p, e);
	int file = e->kind == WATCH_EVENT_WRITE ? learn_written_file(r->words.named, e->text) : -1;

	if (file >= 0)
		(void)json_object_set_new(object, "word", json_string(r->words.owner[file]));
	record(r, object);
}

static void on_bus(void *user, const struct profile *p, const struct bus_blocked *b)
{
	(void)p;
	record(user, bus_denial_to_event(b));
}

static void on_limit(void *user, const char *name)
{
	record(user, learn_limit_to_json(name));
}

static void on_ended(void *user)
{
	(void)user;
}

static void print_note(void *user, const char *note)
{
	(void)user;
	fprintf(stderr, "vitrine: warning: %s\n", note);
}

static int read_words(const struct profile *p, char *const *words, const char *home,
		      struct arguments_given *ret, struct error **err)
{
	_cleanup_(protection_release) struct protection protection = { 0 };
	int r = *words ? protection_gather(home, &protection, err) : 0;

	return r < 0 ? r : arguments_parse(p->file_arguments, words, &protection, ret, err);
}

static int run_recorded(const struct arguments *a, const struct facts *facts,
			const struct permit *permit, int *ret_code, struct error **err)
{
	const struct profile *p = permit_profile(permit);
	_cleanup_(arguments_release) struct arguments_given words = { 0 };
	_cleanup_(recording_release) struct recording r = { .fd = -EBADF };
	struct launch_watch watch = {
		.mode = WATCH_LEARN,
		.event = on_event,
		.bus = on_bus,
		.limit = on_limit,
		.ended = on_ended,
		.user = &r,
	};
	struct launch l = {
		.permit = permit,
		.arguments = &words,
		.watch = &watch,
		.instance = -EBADF,
		.noted = print_note,
	};
	int result;

	learn_words_find(a->words, facts->home, &r.words);
	watch.files = r.words.named;
	result = read_words(p, a->words, facts->home, &words, err);
	if (result >= 0)
		result = learn_record_new(facts->home, p->name, &r.fd, err);
	if (result < 0)
		return result;
	for (char **file = r.words.real; file && *file; file++)
		record(&r, learn_word_to_json(*file));
	for (char **address = r.words.addresses; address && *address; address++)
		record(&r, learn_address_to_json(*address));
	result = launch_run(&l, ret_code, err);
	if (result >= 0 && r.error)
		return error_move(err, TAKE_PTR(r.error));
	return result;
}

/* What the application prints goes to standard error: standard output is for the result. */
static int run_aside(const struct arguments *a, const struct facts *facts,
		     const struct permit *permit, int *ret_code, struct error **err)
{
	_cleanup_close_ int out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	int r;

	if (out < 0 || dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return error_errno(err, "cannot redirect standard output");
	r = run_recorded(a, facts, permit, ret_code, err);
	if (dup2(out, STDOUT_FILENO) < 0 && r >= 0)
		return error_errno(err, "cannot redirect standard output");
	return r;
}

/* --- what comes of it ------------------------------------------------------------------------ */

static bool may_be(void *user, const struct profile *p, char **ret_why)
{
	return permit_would_allow(user, p, ret_why);
}

static int propose(const struct arguments *a, const struct facts *facts, struct permit *permit,
		   struct error **err)
{
	const struct learn_limit limit = { may_be, permit };
	const char *name = permit_profile(permit)->name;
	_cleanup_(learn_events_release) struct learn_events events = { 0 };
	_cleanup_(profile_freep) struct profile *base = NULL;
	_cleanup_free_ char *text = NULL, *path = NULL;
	size_t runs, lines;
	int r;

	r = profile_load_without(name, facts->home, LEARN_DROP_IN, &base, err);
	if (r >= 0)
		r = learn_record_read(facts->home, name, &events, &runs, err);
	if (r >= 0)
		r = learn_propose(base, &events, &limit, &text, &lines, err);
	if (r >= 0 && a->write)
		r = learn_drop_in_write(facts->home, name, text, &path, err);
	if (r < 0)
		return r;
	fprintf(stderr, "vitrine: %zu line%s for profile '%s', learned in %zu run%s%s%s\n", lines,
		lines == 1 ? "" : "s", name, runs, runs == 1 ? "" : "s",
		path ? "; written to " : "", path ? path : "");
	if (path && lines)
		fprintf(stderr,
			"vitrine: what widens a profile that is not your own has to be confirmed: "
			"vitrine profile trust %s\n",
			name);
	return cli_print(text);
}

static int learn(const struct arguments *a)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(permit_freep) struct permit *permit = NULL;
	struct profile *p = NULL;
	struct error *error = NULL;
	int code = EXIT_OK, status;

	if (facts_gather(&facts, &error) < 0 || profile_load(a->name, facts.home, &p, &error) < 0 ||
	    permit_make(p, &facts, NULL, &permit, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	if (a->forget && learn_record_forget(facts.home, permit_profile(permit)->name, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	status = a->show ? EXIT_OK : first_image(&facts, permit_profile(permit), false);
	if (status != EXIT_OK)
		return status;
	if (!a->show && run_aside(a, &facts, permit, &code, &error) < 0)
		return cli_fail(error, EXIT_SETUP);
	status = propose(a, &facts, permit, &error);
	return status < 0 ? cli_fail(error, EXIT_FAILED) : status;
}

static int run(int argc, char **argv)
{
	struct arguments a = { 0 };
	const struct option_row rows[] = {
		{ .name = "forget",
		  .help = "first remove what was recorded before",
		  .flag = &a.forget },
		{ .name = "show",
		  .help = "do not run it: what was recorded alone",
		  .flag = &a.show },
		{ .name = "write",
		  .help = "write the drop-in to your own profiles",
		  .flag = &a.write },
		{ 0 },
	};
	int first = options_parse(&cmd_profile_learn, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (first == argc)
		return cli_usage(&cmd_profile_learn, "which profile?");
	a.name = argv[first++];
	if (first < argc && !strcmp(argv[first], "--"))
		first++;
	a.words = argv + first;
	if (a.show && first < argc)
		return cli_usage(&cmd_profile_learn, "--show takes no arguments");
	return learn(&a);
}

const struct command cmd_profile_learn = {
	.noun = "profile",
	.name = "learn",
	.arguments = "PROFILE [ARG...]",
	.summary = "Find out what an application needs",
	.run = run,
};
