#include <stdio.h>
#include <string.h>

#include "app/facts.h"
#include "app/trust.h"
#include "base/strv.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "profile/load.h"

struct request {
	bool yes, list, forget;
	const char *name;
};

static int list(const char *home)
{
	_cleanup_strv_ char **names = NULL;
	_cleanup_buf_ struct buf text = { 0 };
	struct error *error = NULL;

	if (trust_list(home, &names, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	for (char **name = names; name && *name; name++)
		buf_addf(&text, "%s\n", *name);
	return cli_print(text.data ? text.data : "");
}

static void add_line(struct buf *out, char sign, const struct difference_entry *e, const char *line)
{
	_cleanup_free_ char *shown = text_escape(line, strlen(line));

	buf_addf(out, "  %c [%s] %s", sign, e->key->section, shown);
	if (sign == '+' && e->origin.file)
		buf_addf(out, "    (%s:%u)", e->origin.file, e->origin.line);
	buf_adds(out, "\n");
}

/* Of a key that takes away, what is missing. */
static void add_difference(struct buf *out, const char *title, const struct difference *d)
{
	buf_addf(out, "%s\n", title);
	for (size_t i = 0; i < d->n; i++) {
		const struct difference_entry *e = &d->entries[i];
		bool missing = e->key->order == ORDER_SET_LESS;

		if (e->instead)
			add_line(out, '-', e, e->instead);
		for (char **line = e->more; line && *line; line++)
			add_line(out, missing ? '-' : '+', e, *line);
	}
}

static char *describe(const struct trust *t)
{
	struct buf out = { 0 };

	if (t->is_broken)
		buf_addf(&out,
			 "The shipped profile '%s' cannot be used: it counts as one that allows "
			 "nothing.\n",
			 t->name);
	if (t->own.n) {
		_cleanup_free_ char *title = xasprintf(
			"Files of your own let '%s' do more than the shipped profile:", t->name);

		add_difference(&out, title, &t->own);
	}
	if (t->update.n) {
		_cleanup_free_ char *title = xasprintf(
			"The shipped profile '%s' allows more than when it last ran:", t->name);

		add_difference(&out, title, &t->update);
	}
	return buf_take(&out);
}

static bool is_wanted(const struct request *q)
{
	char answer[16] = "";

	if (q->yes)
		return true;
	fprintf(stderr, "Allow this? [y/N] ");
	return read(STDIN_FILENO, answer, sizeof answer - 1) > 0 &&
	       (!strcmp(answer, "y\n") || !strcmp(answer, "yes\n"));
}

static int confirm(const struct request *q, const struct trust *t, const char *home)
{
	_cleanup_free_ char *text = describe(t);
	struct error *error = NULL;
	int status;

	status = cli_print(text);
	if (status != EXIT_OK)
		return status;
	if (!q->yes && (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))) {
		error_set(&error, ENOTTY, "a terminal is needed to ask: or use --yes");
		return cli_fail(error, EXIT_FAILED);
	}
	if (!is_wanted(q))
		return EXIT_FAILED;
	if (trust_confirm(t, home, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	return EXIT_OK;
}

static int show(const struct request *q, const struct facts *facts)
{
	_cleanup_strv_ char **dirs = profile_dirs(facts->home);
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_(trust_release) struct trust t = { 0 };
	_cleanup_free_ char *none = NULL;
	struct error *error = NULL;

	if (profile_load(q->name, facts->home, &p, &error) < 0 ||
	    trust_look(dirs, facts->home, p, &t, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	if (trust_wants_own(&t) || trust_wants_update(&t))
		return confirm(q, &t, facts->home);
	none = xasprintf("There is nothing to confirm of profile '%s'.\n", p->name);
	return cli_print(none);
}

static int forget(const char *home, const char *name)
{
	struct error *error = NULL;

	return trust_forget(home, name, &error) < 0 ? cli_fail(error, EXIT_FAILED) : EXIT_OK;
}

static int act(const struct request *q)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	struct error *error = NULL;

	if (facts_gather(&facts, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	if (q->list)
		return list(facts.home);
	return q->forget ? forget(facts.home, q->name) : show(q, &facts);
}

static int run(int argc, char **argv)
{
	struct request q = { 0 };
	const struct option_row rows[] = {
		{ .name = "yes", .help = "confirm without asking", .flag = &q.yes },
		{ .name = "list", .help = "list the profiles that have a record", .flag = &q.list },
		{ .name = "forget",
		  .help = "remove the record of PROFILE: as if it had never run",
		  .flag = &q.forget },
		{ 0 },
	};
	int first = options_parse(&cmd_profile_trust, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (q.list && (q.forget || q.yes || first != argc))
		return cli_usage(&cmd_profile_trust, "--list takes nothing else");
	if (q.forget && q.yes)
		return cli_usage(&cmd_profile_trust, "--forget and --yes exclude each other");
	if (!q.list && argc - first != 1)
		return cli_usage(&cmd_profile_trust, "give one profile");
	q.name = argv[first];
	return act(&q);
}

const struct command cmd_profile_trust = {
	.noun = "profile",
	.name = "trust",
	.arguments = "PROFILE",
	.summary = "Confirm what a profile allows anew",
	.run = run,
};
