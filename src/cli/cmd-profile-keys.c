#include <jansson.h>

#include "cli/key-text.h"
#include "cli/options.h"
#include "cli/profile-commands.h"

static void add_text(const struct key *k, struct buf *text)
{
	_cleanup_free_ char *name = xasprintf("%s.%s", k->section, k->name);

	buf_addf(text, "%-27s %-10s ", name, k->fallback ? k->fallback : "-");
	key_allowed(k, text);
	buf_adds(text, "\n");
}

static void add_json(const struct key *k, json_t *all)
{
	_cleanup_buf_ struct buf allowed = { 0 };
	json_t *choices = k->choices ? json_array() : json_null();

	for (const char *const *choice = k->choices; choice && *choice; choice++)
		json_array_append_new(choices, json_string(*choice));
	key_allowed(k, &allowed);
	json_array_append_new(all, json_pack("{ss ss ss sb ss? so ss sb}", "section", k->section,
					     "key", k->name, "type", k->type->form, "list",
					     (int)k->type->is_list, "default", k->fallback,
					     "choices", choices, "allowed", allowed.data,
					     "supported", (int)key_is_supported(k)));
}

static int run(int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ 0 },
	};
	json_auto_t *all = NULL;
	_cleanup_buf_ struct buf text = { 0 };
	_cleanup_free_ char *dumped = NULL;
	int first = options_parse(&cmd_profile_keys, rows, argc, argv);

	if (first < 0)
		return options_status(first);
	if (first != argc)
		return cli_usage(&cmd_profile_keys, "takes no argument");
	all = json_array();
	for (size_t i = 0; key_at(i); i++) {
		add_text(key_at(i), &text);
		add_json(key_at(i), all);
	}
	if (!json)
		return cli_print(text.data);
	dumped = json_dumps(all, JSON_INDENT(2));
	buf_release(&text);
	buf_addf(&text, "%s\n", dumped ? dumped : "[]");
	return cli_print(text.data);
}

const struct command cmd_profile_keys = {
	.noun = "profile",
	.name = "keys",
	.arguments = "",
	.summary = "List every key that a profile may have",
	.run = run,
};
