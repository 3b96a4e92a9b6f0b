#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/permit.h"
#include "app/view-plan.h"
#include "base/buf.h"
#include "base/parse.h"
#include "base/strv.h"
#include "cli/options.h"
#include "cli/profile-commands.h"
#include "cli/profile-word.h"
#include "profile/load.h"
#include "view/explain.h"

#define WORST_SHOWN 3U

struct audited {
	struct profile *profile;
	struct plan *plan;
	unsigned score;
};

struct audit {
	struct audited *list;
	size_t n;
	bool by_name;
};

static void audit_release(struct audit *a)
{
	for (size_t i = 0; i < a->n; i++) {
		profile_free(a->list[i].profile);
		plan_free(a->list[i].plan);
	}
	free(a->list);
}

static struct view view_of(const struct audited *a)
{
	return (struct view){ a->profile, a->plan };
}

static int look_at(struct audit *a, const char *word, const struct facts *facts, struct error **err)
{
	struct audited *one = &a->list[a->n];
	_cleanup_free_ char *why = NULL;
	struct view v;
	int r;

	a->n++;
	r = profile_word_load(word, facts, &one->profile, err);
	if (r >= 0)
		r = permit_preview(one->profile, facts, &why, err);
	if (r >= 0 && why) { /* what cannot be run gives nothing away */
		fprintf(stderr, "vitrine: left out '%s': %s\n", one->profile->name, why);
		one->profile = profile_free(one->profile);
		a->n--;
		return 0;
	}
	if (r >= 0)
		r = view_rights_make(one->profile, facts, &one->plan, err);
	if (r < 0)
		return r;
	v = view_of(one);
	one->score = exposure_score(&v);
	return 0;
}

static int compare(const void *a, const void *b)
{
	const struct audited *x = a, *y = b;

	if (x->score != y->score)
		return x->score < y->score ? 1 : -1;
	return strcmp(x->profile->name, y->profile->name);
}

/* All profiles where no word is given. One that cannot be looked at is an error: nobody shall take
 * it for a good one. */
static int look(struct audit *a, char *const *words, struct error **err)
{
	_cleanup_(facts_release) struct facts facts = { 0 };
	_cleanup_strv_ char **names = strv_copy(words);
	int r;

	r = facts_gather(&facts, err);
	if (r >= 0 && !*words)
		r = profile_list(facts.home, &names, err);
	if (r < 0)
		return r;
	a->list = xcalloc(strv_length(names) + 1, sizeof *a->list);
	for (char **name = names; name && *name && r >= 0; name++)
		r = look_at(a, *name, &facts, err);
	if (r >= 0 && !a->by_name)
		qsort(a->list, a->n, sizeof *a->list, compare);
	return r;
}

/* The settings that give away most. */
static void add_worst(struct buf *out, const struct audited *a)
{
	const struct view v = view_of(a);
	_cleanup_free_ const struct exposure **rows = audit_rows(&v, false);

	for (size_t i = 0; i < WORST_SHOWN && rows[i]; i++) {
		_cleanup_free_ char *setting = exposure_setting(rows[i]);

		buf_addf(out, "%s%s", i ? ", " : "", setting);
	}
}

static int print_list(const struct audit *a)
{
	_cleanup_buf_ struct buf out = { 0 };

	buf_addf(&out, "%-24s %8s  %-8s %s\n", "PROFILE", "EXPOSURE", "", "MOST BY");
	for (size_t i = 0; i < a->n; i++) {
		const struct audited *one = &a->list[i];
		_cleanup_free_ char *score = audit_number(one->score);

		buf_addf(&out, "%-24s %8s  %-8s ", one->profile->name, score,
			 exposure_word(one->score));
		add_worst(&out, one);
		buf_adds(&out, "\n");
	}
	return cli_print(out.data);
}

static int print_one(const struct audit *a)
{
	const struct view v = view_of(&a->list[0]);
	_cleanup_free_ char *text = audit_text(&v, a->by_name);

	return cli_print(text);
}

static json_t *rows_to_json(const struct view *v, bool by_name)
{
	_cleanup_free_ const struct exposure **rows = audit_rows(v, by_name);
	json_t *all = json_array();

	for (size_t i = 0; rows[i]; i++) {
		_cleanup_free_ char *setting = exposure_setting(rows[i]);
		_cleanup_free_ char *sentence = exposure_sentence(rows[i], v, NULL);

		json_array_append_new(all,
				      json_pack("{ss ss sf si ss}", "setting", setting, "group",
						fear_to_string(rows[i]->fear), "points",
						exposure_points(rows[i], v) / 100.0, "weight",
						(int)rows[i]->weight, "text", sentence));
	}
	return all;
}

static int print_json(const struct audit *a)
{
	json_auto_t *all = json_array();

	for (size_t i = 0; i < a->n; i++) {
		const struct audited *one = &a->list[i];
		const struct view v = view_of(one);

		json_array_append_new(all, json_pack("{ss sf ss so}", "profile", one->profile->name,
						     "score", one->score / 100.0, "word",
						     exposure_word(one->score), "exposures",
						     rows_to_json(&v, a->by_name)));
	}
	return cli_print_json(all);
}

/* "4" or "4.5", up to 10, in hundredths. */
static int parse_threshold(const char *s, unsigned *ret)
{
	size_t n = strcspn(s, ".");
	_cleanup_free_ char *whole = xstrndup(s, n);
	uint32_t units, tenths = 0;

	if (parse_u32(whole, &units) < 0 || units > 10)
		return -EINVAL;
	if (s[n] && (strlen(s + n + 1) != 1 || parse_u32(s + n + 1, &tenths) < 0))
		return -EINVAL;
	*ret = units * 100 + tenths * 10;
	return 0;
}

/* As they are shown, in tenths. */
static bool is_above(const struct audit *a, unsigned threshold)
{
	for (size_t i = 0; i < a->n; i++)
		if ((a->list[i].score + 5) / 10 > threshold / 10)
			return true;
	return false;
}

static int run(int argc, char **argv)
{
	static const char *const orders[] = { "score", "name", NULL };
	const char *limit = "10", *sort = "score";
	bool json = false;
	const struct option_row rows[] = {
		{ .name = "json", .help = "an array of objects, for programs", .flag = &json },
		{ .name = "threshold",
		  .value = "N",
		  .help = "fail if one is above N, from 0.0 to 10.0",
		  .text = &limit },
		{ .name = "sort",
		  .value = "BY",
		  .choices = orders,
		  .help = "score or name",
		  .text = &sort },
		{ 0 },
	};
	_cleanup_(audit_release) struct audit audit = { 0 };
	int first = options_parse(&cmd_profile_audit, rows, argc, argv), r;
	struct error *error = NULL;
	unsigned threshold;

	if (first < 0)
		return options_status(first);
	if (parse_threshold(limit, &threshold) < 0)
		return cli_usage(&cmd_profile_audit, "--threshold needs a number such as 4.5");
	audit.by_name = !strcmp(sort, "name");
	if (look(&audit, argv + first, &error) < 0)
		return cli_fail(error, EXIT_USAGE);
	r = json ? print_json(&audit) : argc - first == 1 ? print_one(&audit) : print_list(&audit);
	if (r != EXIT_OK)
		return EXIT_USAGE;
	return is_above(&audit, threshold) ? EXIT_FAILED : EXIT_OK;
}

const struct command cmd_profile_audit = {
	.noun = "profile",
	.name = "audit",
	.arguments = "[PROFILE...]",
	.summary = "Rate how much profiles give away",
	.run = run,
};
