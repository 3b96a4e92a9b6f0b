#include <jansson.h>

#include "app/lint.h"
#include "base/buf.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "cli/profile-word.h"

static int look(const struct lint_wish *w, struct lint *ret, struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	int r = facts_gather(&facts, err);

	return r < 0 ? r : lint_run(w, &facts, ret, err);
}

static int print_text(const struct lint *l)
{
	_cleanup_buf_ struct buf out = { 0 };

	for (size_t i = 0; i < l->n; i++) {
		const struct lint_finding *f = &l->list[i];

		if (f->file && f->line)
			buf_addf(&out, "%s:%u: ", f->file, f->line);
		else
			buf_addf(&out, "%s: ", f->file ? f->file : f->profile);
		buf_addf(&out, "%s %s: %s\n", lint_severity_to_string(f->severity), f->code,
			 f->text);
	}
	return cli_print(out.data ? out.data : "");
}

static int print_json(const struct lint *l)
{
	json_auto_t *all = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct lint_finding *f = &l->list[i];

		json_array_append_new(
			all, json_pack("{ss ss ss ss? si ss}", "code", f->code, "severity",
				       lint_severity_to_string(f->severity), "profile", f->profile,
				       "file", f->file, "line", (int)f->line, "text", f->text));
	}
	return cli_print_json(all);
}

static bool has_errors(const struct lint *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->list[i].severity == LINT_ERROR)
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	struct lint_wish wish = { .load = profile_word_load };
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "exceptions",
		  .value = "FILE",
		  .help = "lines PROFILE CODE reason: findings to leave out",
		  .text = &wish.exceptions },
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_(lint_release) struct lint findings = { 0 };
	int first = options_parse(&cmd_profile_lint, rows, argc, argv), r;
	struct error *error = NULL;

	if (first < 0)
		return options_status(first);
	wish.names = argv + first;
	if (look(&wish, &findings, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	r = json ? print_json(&findings) : print_text(&findings);
	if (r != EXIT_OK)
		return EXIT_USAGE;
	return has_errors(&findings) ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_profile_lint = {
	.noun = "profile",
	.name = "lint",
	.arguments = "[PROFILE...]",
	.summary = "Look for faults in profiles",
	.run = run,
};
