#include <jansson.h>

#include "base/buf.h"
#include "base/text.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "cli/profile-word.h"
#include "view/diff.h"

/* As of diff(1). */
enum {
	SAME = 0,
	DIFFERENT = 1,
	TROUBLE = 2,
};

struct both {
	const char *words[2];
	struct profile *profiles[2];
	struct differences more[2]; /* [1]: what the second may and the first may not */
};

static void both_release(struct both *b)
{
	for (size_t i = 0; i < 2; i++) {
		profile_free(b->profiles[i]);
		differences_release(&b->more[i]);
	}
}

static int compare(struct both *b, struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	int r = facts_gather(&facts, err);

	for (size_t i = 0; i < 2 && r >= 0; i++)
		r = profile_word_load(b->words[i], &facts, &b->profiles[i], err);
	if (r < 0)
		return r;
	differences_find(b->profiles[0], b->profiles[1], &b->more[0]);
	differences_find(b->profiles[1], b->profiles[0], &b->more[1]);
	return 0;
}

static int print_text(const struct both *b)
{
	_cleanup_buf_ struct buf out = { 0 };

	for (size_t i = 2; i-- > 0;) {
		_cleanup_free_ char *a = text_escape(b->words[i], 256);
		_cleanup_free_ char *other = text_escape(b->words[1 - i], 256);
		_cleanup_free_ char *lines = differences_text(&b->more[i]);

		if (b->more[i].n)
			buf_addf(&out, "%s may, and %s may not:\n%s", a, other, lines);
	}
	return cli_print(out.data ? out.data : "");
}

static json_t *to_json(const struct differences *d)
{
	json_t *all = json_array();

	for (size_t i = 0; i < d->n; i++) {
		const struct difference *e = &d->list[i];

		json_array_append_new(all,
				      json_pack("{ss ss ss sb ss? si}", "section", e->key->section,
						"key", e->key->name, "line", e->line,
						"denied_by_the_other", e->denial, "file",
						e->origin.file, "number", (int)e->origin.line));
	}
	return all;
}

static int print_json(const struct both *b)
{
	json_auto_t *value = json_pack("{ss ss so so}", "a", b->words[0], "b", b->words[1],
				       "only_a", to_json(&b->more[0]), "only_b",
				       to_json(&b->more[1]));

	return cli_print_json(value);
}

static int run(int argc, char **argv)
{
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an object, for programs", .flag = &json },
		{ 0 },
	};
	_cleanup_(both_release) struct both both = { 0 };
	int first = options_parse(&cmd_profile_diff, rows, argc, argv), r;
	struct error *error = NULL;

	if (first < 0)
		return options_status(first);
	if (argc - first != 2)
		return cli_usage(&cmd_profile_diff, "give two profiles");
	both.words[0] = argv[first];
	both.words[1] = argv[first + 1];
	if (compare(&both, &error) < 0)
		return cli_fail(error, TROUBLE);
	r = json ? print_json(&both) : print_text(&both);
	if (r != EXIT_OK)
		return TROUBLE;
	return both.more[0].n || both.more[1].n ? DIFFERENT : SAME;
}

const struct command cmd_profile_diff = {
	.noun = "profile",
	.name = "diff",
	.arguments = "A B",
	.summary = "Compare what two profiles allow",
	.run = run,
};
