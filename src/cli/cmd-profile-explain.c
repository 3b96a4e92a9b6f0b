#include <jansson.h>

#include "app/view-plan.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "cli/profile-word.h"
#include "view/explain.h"

static int print_json(const struct view *v)
{
	json_auto_t *all = json_array();

	for (size_t i = 0; exposure_at(i); i++) {
		const struct exposure *e = exposure_at(i);
		_cleanup_free_ char *setting = exposure_setting(e), *sentence = NULL;
		bool can;

		sentence = exposure_sentence(e, v, &can);
		json_array_append_new(all,
				      json_pack("{ss ss? sb ss}", "group", fear_to_string(e->fear),
						"setting", setting, "can", can, "text", sentence));
	}
	return cli_print_json(all);
}

static int run(int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(plan_freep) struct plan *plan = NULL;
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;
	const char *word;
	struct view v;
	int r = options_parse_single(&cmd_profile_explain, rows, "profile", argc, argv, &word);

	if (r < 0)
		return options_status(r);
	if (facts_gather(&facts, &error) < 0 ||
	    profile_word_load_ruled(word, &facts, &profile, &error) < 0 ||
	    view_rights_make(profile, &facts, &plan, &error) < 0)
		return cli_fail(error, EXIT_FAILED);
	v = (struct view){ profile, plan };
	if (json)
		return print_json(&v);
	text = explain_text(&v);
	return cli_print(text);
}

const struct command cmd_profile_explain = {
	.noun = "profile",
	.name = "explain",
	.arguments = "PROFILE",
	.summary = "Say what an application can and cannot do",
	.run = run,
};
