/* view: whatever a key gives more, a person can read. */

#include "view/diff.h"
#include "view/explain.h"

#include "base/strv.h"
#include "base/text.h"
#include "profile/choice.h"
#include "profile/order.h"
#include "sample.h"
#include "unit.h"

#define PAIRS_MAX 64

/* --- pairs of values, made from the key table -------------------------------- */

struct pair {
	char *narrow, *wide; /* NULL: not given */
};

struct pairs {
	struct pair list[PAIRS_MAX];
	size_t n;
};

static void add_pair(struct pairs *p, const char *narrow, const char *wide)
{
	assert_true(p->n < PAIRS_MAX);
	p->list[p->n++] = (struct pair){ narrow ? xstrdup(narrow) : NULL,
					 wide ? xstrdup(wide) : NULL };
}

/* A value that the check of a text takes. */
static const char *sample_value(const struct key *k)
{
	static const struct {
		const struct text_check *check;
		const char *value;
	} values[] = {
		{ &check_bus_name, "org.example.A" },
		{ &check_bus_rule, "org.example.A=org.example.A.B@/c" },
		{ &check_host_path, "~/Music" },
		{ &check_kept_path, ".config/x" },
		{ &check_rule, "ptrace" },
		{ &check_name, "other" },
		{ &check_time_zone, "UTC" },
		{ &check_locale, "C.UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		if (values[i].check == k->check)
			return values[i].value;
	fail_msg("test-view: no value for %s=", k->name);
	return NULL;
}

static void add_choices(struct pairs *p, const struct key *k)
{
	for (size_t i = 0; k->choices[i]; i++)
		for (size_t j = 0; k->choices[j]; j++)
			add_pair(p, k->choices[i], k->choices[j]);
}

static void add_numbers(struct pairs *p, const struct key *k)
{
	const char *suffix = k->type == &value_percent ? "%" : k->type == &value_time ? "s" : "";
	_cleanup_free_ char *least = xasprintf("%llu%s", (unsigned long long)k->min, suffix);
	_cleanup_free_ char *next = xasprintf(
		"%llu%s", (unsigned long long)(k->min ? k->min * 2 : 1), suffix);
	_cleanup_free_ char *most = xasprintf("%llu%s", (unsigned long long)k->max, suffix);

	if (k->type == &value_bool) {
		add_pair(p, "no", "yes");
		add_pair(p, "yes", "no");
		return;
	}
	add_pair(p, least, next);
	add_pair(p, next, most);
	add_pair(p, least, NULL);
	if (!k->fallback)
		add_pair(p, most, NULL);
}

static void add_list(struct pairs *p, const struct key *k)
{
	const char *value = sample_value(k);

	add_pair(p, NULL, value);
	add_pair(p, value, NULL);
}

static void make_pairs(const struct key *k, struct pairs *ret)
{
	*ret = (struct pairs){ 0 };
	if (k->type->is_list)
		add_list(ret, k);
	else if (k->type == &value_choice)
		add_choices(ret, k);
	else if (k->type->number)
		add_numbers(ret, k);
	else if (k->order == ORDER_HOST)
		add_pair(ret, sample_value(k), KEY_HOST);
	else
		add_pair(ret, NULL, sample_value(k));
}

static void release_pairs(struct pairs *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->list[i].narrow);
		free(p->list[i].wide);
	}
}

/* --- what is made of them ---------------------------------------------------- */

struct seen {
	struct profile *profile;
	struct plan *plan;
	char *explained, *audited;
	unsigned score;
};

static void see(const struct key *k, const char *value, struct seen *ret)
{
	_cleanup_free_ char *text = xasprintf("[App]\nCommand=x\n[%s]\n%s%s%s\n", k->section,
					      value ? k->name : "", value ? "=" : "",
					      value ? value : "");
	struct error *error = NULL;
	struct view v;

	*ret = (struct seen){ 0 };
	assert_done(profile_read(text, strlen(text), "f", "sample", &ret->profile, &error), error);
	assert_done(plan_make(ret->profile, &as_profile, &sample_host, &sample_inputs, &ret->plan,
			      &error),
		    error);
	v = (struct view){ ret->profile, ret->plan };
	ret->explained = explain_text(&v);
	ret->audited = audit_text(&v, true);
	ret->score = exposure_score(&v);
}

static void unsee(struct seen *s)
{
	profile_free(s->profile);
	plan_free(s->plan);
	free(s->explained);
	free(s->audited);
}

/* Returns whether the second value is wider. */
static bool try_pair(const struct key *k, const struct pair *pair)
{
	struct seen narrow, wide;
	bool wider;

	see(k, pair->narrow, &narrow);
	see(k, pair->wide, &wide);
	wider = key_exceeds(k, wide.profile, narrow.profile, NULL);
	if (wider && !strcmp(narrow.explained, wide.explained))
		fail_msg("[%s] %s=%s: explain does not tell it from %s", k->section, k->name,
			 pair->wide, pair->narrow);
	if (wider && !strcmp(narrow.audited, wide.audited))
		fail_msg("[%s] %s=%s: audit does not tell it from %s", k->section, k->name,
			 pair->wide, pair->narrow);
	/* Of flags, one may be wider by this and narrower by that. */
	if (wider && !key_exceeds(k, narrow.profile, wide.profile, NULL) &&
	    wide.score < narrow.score)
		fail_msg("[%s] %s=%s: the score is less than of %s", k->section, k->name,
			 pair->wide, pair->narrow);
	unsee(&narrow);
	unsee(&wide);
	return wider;
}

/* A key that is added without a row in the table of exposures makes this fail. */
static void test_what_widens_is_told(void **state)
{
	(void)state;
	for (size_t i = 0; key_at(i); i++) {
		const struct key *k = key_at(i);
		struct pairs pairs;
		size_t wider = 0;

		if (k->order == ORDER_NONE || !key_is_supported(k))
			continue;
		make_pairs(k, &pairs);
		for (size_t j = 0; j < pairs.n; j++)
			wider += try_pair(k, &pairs.list[j]);
		if (!wider)
			fail_msg("[%s] %s=: no pair of which one is wider", k->section, k->name);
		release_pairs(&pairs);
	}
}

static void test_each_key_has_one_row(void **state)
{
	(void)state;
	for (size_t i = 0; exposure_at(i); i++) {
		const struct exposure *e = exposure_at(i);

		if (!e->key) {
			assert_null(e->measure);
			continue;
		}
		assert_non_null(key_find(e->section, e->key));
		assert_true(key_is_supported(key_find(e->section, e->key)));
		assert_true(e->weight > 0);
		for (size_t j = 0; j < i; j++)
			assert_true(!exposure_at(j)->key || strcmp(exposure_at(j)->key, e->key) ||
				    strcmp(exposure_at(j)->section, e->section));
	}
}

static void test_the_scale(void **state)
{
	const struct key *title = key_find("App", "Title");
	struct seen s;

	(void)state;
	see(title, NULL, &s);
	assert_in_range(s.score, 1, 200); /* what says nothing gives little */
	assert_string_equal(exposure_word(s.score), "tight");
	assert_string_equal(exposure_word(1000), "exposed");
	unsee(&s);
}

/* The reader refuses such text; what is shown does not rely on it. */
static void test_what_is_shown_is_escaped(void **state)
{
	_cleanup_free_ char *explained = NULL;
	struct view v;
	struct seen s;

	(void)state;
	see(key_find("Files", "ReadOnly"), "~/a", &s);
	free(s.profile->read_only[0]);
	s.profile->read_only[0] = xstrdup("~/a\xe2\x80\xae\x1b");
	v = (struct view){ s.profile, s.plan };
	explained = explain_text(&v);
	assert_non_null(strstr(explained, "~/a\\xe2\\x80\\xae\\x1b"));
	unsee(&s);
}

static void test_differences(void **state)
{
	static const char a_text[] = "[App]\nCommand=x\n[Files]\nReadOnly=~/a\nReadWrite=~/b\n"
				     "[Seccomp]\nDeny=ptrace\n";
	static const char b_text[] = "[App]\nCommand=x\n[Network]\nMode=private\n"
				     "[Files]\nReadOnly=~/b/c\nReadOnly=~/d\n";
	_cleanup_(profile_freep) struct profile *a = NULL, *b = NULL;
	_cleanup_(differences_release) struct differences more = { 0 }, less = { 0 }, none = { 0 };
	_cleanup_free_ char *more_text = NULL, *less_text = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(profile_read(a_text, strlen(a_text), "a", "a", &a, &error), error);
	assert_done(profile_read(b_text, strlen(b_text), "b", "b", &b, &error), error);
	differences_find(b, a, &more);
	more_text = differences_text(&more);
	assert_int_equal(more.n, 3);
	assert_non_null(strstr(more_text, "[Files] ReadOnly=~/d "));
	assert_null(strstr(more_text, "~/b/c")); /* beneath what the other one has */
	assert_non_null(strstr(more_text, "[Network] Mode=private "));
	assert_non_null(strstr(more_text, "  b:4\n"));
	assert_non_null(strstr(more_text, "without [Seccomp] Deny=ptrace "));
	assert_non_null(strstr(more_text, "  a:7\n"));
	differences_find(a, b, &less);
	less_text = differences_text(&less);
	assert_int_equal(less.n, 2);
	assert_non_null(strstr(less_text, "[Files] ReadOnly=~/a "));
	assert_non_null(strstr(less_text, "[Files] ReadWrite=~/b "));
	differences_find(a, a, &none);
	assert_int_equal(none.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_widens_is_told),
		cmocka_unit_test(test_each_key_has_one_row),
		cmocka_unit_test(test_the_scale),
		cmocka_unit_test(test_what_is_shown_is_escaped),
		cmocka_unit_test(test_differences),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
