/* profile/ceiling: what a rule refuses, what it narrows, whom it binds; and that nothing is above
 * any rule that binds, whatever profile and rules there are. */

#include "profile/ceiling.h"

#include "base/strv.h"
#include "profile/ceiling-rule.h"
#include "profile/copy.h"
#include "profile/host-path.h"
#include "profile/order.h"
#include "random-profile.h"
#include "unit.h"

#define APP    "[App]\nCommand=x\n"
#define HOME   "/home/ann"
#define ROUNDS 4000

/* As this user's settings say: downloads are elsewhere. */
static char *resolve(void *data, const char *path)
{
	static char *dirs[USER_DIR_MAX];

	(void)data;
	for (size_t i = 0; i < USER_DIR_MAX; i++)
		dirs[i] = (char *)(i == USER_DIR_DOWNLOAD ? "/srv/loads" : "Other");
	return host_path_expand(path, HOME, dirs);
}

static char *groups[] = { (char *)"staff", (char *)"50", NULL };
static const struct ceiling_subject ann = {
	.user = "ann",
	.uid = 1000,
	.groups = groups,
	.home = HOME,
	.resolve = resolve,
};

static struct ceiling *ceiling_of(const char *const *rules)
{
	struct ceiling *c = ceiling_new();
	struct error *error = NULL;

	for (; *rules; rules++)
		assert_done(ceiling_add(c, *rules, strlen(*rules), "rule", &error), error);
	return c;
}

static struct profile *profile_of(const char *text, const char *name)
{
	struct profile *p = NULL;
	struct error *error = NULL;

	assert_done(profile_read(text, strlen(text), "file", name, &p, &error), error);
	return p;
}

static int apply(const char *rule, struct profile *p, struct error **err)
{
	const char *const rules[] = { rule, NULL };
	_cleanup_(ceiling_freep) struct ceiling *c = ceiling_of(rules);

	return ceiling_apply(c, &ann, p, err);
}

static void test_what_is_asked_for_is_refused(void **state)
{
	static const struct {
		const char *rule, *profile, *message;
	} rows[] = {
		{ "[Network]\nMode=none\n", "[Network]\nMode=private\n",
		  "file:4: [Network] Mode=private is above the ceiling: rule:2 allows none at "
		  "most" },
		{ "[Limits]\nMemory=1G\n", "[Limits]\nMemory=2G\n", "rule:2 allows 1G at most" },
		{ "[Limits]\nCpu=100%\n", "[Limits]\nCpu=\n", "Cpu= is above the ceiling" },
		{ "[AppArmor]\nRequired=yes\n", "[AppArmor]\nRequired=no\n", "rule:2 wants yes" },
		{ "[Display]\nClipboard=to-desktop\n", "[Display]\nClipboard=both\n",
		  "allows to-desktop at most" },
		{ "[Files]\nReadOnly=~/a\n", "[Files]\nReadOnly=~/ab\n", "allows ~/a at most" },
		{ "[Files]\nReadOnly=~/a\n", "[Files]\nReadWrite=~/a\n", "allows nothing at most" },
		{ "[Files]\nReadWrite=\n", "[Files]\nReadWrite=~/a\n", "allows nothing at most" },
		{ "[Files]\nReadOnly=~/Downloads\n", "[Files]\nReadOnly=%d\n", "ReadOnly=%d" },
		{ "[Identity]\nTimeZone=UTC\n", "[Identity]\nTimeZone=host\n", "wants UTC" },
		{ "[Seccomp]\nPolicy=gui\n", "[Seccomp]\nPolicy=browser\n", "Policy=browser" },
		{ "[Bus]\nTalk=org.a.*\n", "[Bus]\nTalk=org.ab\n", "allows org.a.* at most" },
		{ "[Bus]\nTalk=org.a.*\n", "[Bus]\nOwn=org.a.B\n", "allows nothing at most" },
		{ "[Bus]\nCall=org.a.B=*\n", "[Bus]\nTalk=org.a.B\n", "allows nothing at most" },
		{ "[Bus]\nBroadcast=\n", "[Bus]\nOwn=org.a.B\n", "allows nothing at most" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = xasprintf(APP "%s", rows[i].profile);
		_cleanup_(profile_freep) struct profile *p = profile_of(text, "x");
		struct error *error = NULL;

		assert_refused(apply(rows[i].rule, p, &error), error, EPERM, rows[i].message);
	}
}

static void test_what_is_within_passes(void **state)
{
	static const char *const rows[][2] = {
		{ "[Network]\nMode=private\n", "[Network]\nMode=private\n" },
		{ "[Files]\nReadOnly=~/a\n", "[Files]\nReadOnly=~/a/b\n" },
		{ "[Files]\nReadWrite=~/a\n", "[Files]\nReadOnly=/srv/x\nReadWrite=~/a/b\n" },
		{ "[Files]\nReadOnly=/srv\n", "[Files]\nReadOnly=%d/a\n" },
		{ "[Files]\nReadOnly=/home/ann/a\n", "[Files]\nReadOnly=~/a\n" },
		{ "[Seccomp]\nPolicy=office\n", "[Seccomp]\nPolicy=gui\n" },
		{ "[Limits]\nMemory=8G\n", "[Limits]\nMemory=8G\n" },
		{ "[Bus]\nTalk=org.a.*\n", "[Bus]\nTalk=org.a.B\nTalk=org.a.c.*\n" },
		{ "[Bus]\nCall=\nTalk=org.a.B\n", "[Bus]\nCall=org.a.B=org.a.B.Do\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = xasprintf(APP "%s", rows[i][1]);
		_cleanup_(profile_freep) struct profile *p = profile_of(text, "x");
		_cleanup_free_ char *before = profile_write(p), *after = NULL;
		struct error *error = NULL;

		assert_done(apply(rows[i][0], p, &error), error);
		after = profile_write(p);
		assert_string_equal(before, after);
	}
}

static void test_what_nobody_said_is_narrowed(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_of(APP, "x");
	struct error *error = NULL;

	(void)state;
	assert_done(apply("[Limits]\nMemory=1G\nCpu=50%\nRequired=yes\n[Display]\nBackend=none\n"
			  "[Identity]\nLocale=C.UTF-8\n[Seccomp]\nDeny=ptrace\n",
			  p, &error),
		    error);
	assert_int_equal(p->memory, UINT64_C(1) << 30);
	assert_int_equal(p->cpu, 50);
	assert_true(p->limits_required);
	assert_int_equal(p->display, DISPLAY_NONE);
	assert_string_equal(p->locale, "C.UTF-8");
	assert_string_equal(p->seccomp_deny[0], "ptrace");
}

/* What is to be taken away is no wish that could be refused. */
static void test_denied_calls_come_together(void **state)
{
	_cleanup_(profile_freep) struct profile *p = profile_of(APP "[Seccomp]\nDeny=bpf\n", "x");
	struct error *error = NULL;

	(void)state;
	assert_done(apply("[Seccomp]\nDeny=ptrace\nDeny=bpf\n", p, &error), error);
	assert_int_equal(strv_length(p->seccomp_deny), 2);
	assert_true(strv_contains(p->seccomp_deny, "ptrace"));
}

static void test_the_narrowest_rule_counts(void **state)
{
	static const char *const rules[] = { "[Limits]\nMemory=2G\n", "[Limits]\nMemory=1G\n",
					     "[Limits]\nMemory=3G\n", NULL };
	_cleanup_(ceiling_freep) struct ceiling *c = ceiling_of(rules);
	_cleanup_(profile_freep) struct profile *p = profile_of(APP, "x");
	struct error *error = NULL;

	(void)state;
	assert_int_equal(ceiling_count(c), 3);
	assert_done(ceiling_apply(c, &ann, p, &error), error);
	assert_int_equal(p->memory, UINT64_C(1) << 30);
}

static void test_whom_a_rule_binds(void **state)
{
	static const struct {
		const char *match;
		bool binds;
	} rows[] = {
		{ "", true },
		{ "[Match]\n", true },
		{ "[Match]\nUser=ann\n", true },
		{ "[Match]\nUser=1000\n", true },
		{ "[Match]\nUser=bob\n", false },
		{ "[Match]\nUser=bob\nUser=ann\n", true },
		{ "[Match]\nGroup=staff\n", true },
		{ "[Match]\nGroup=50\n", true },
		{ "[Match]\nGroup=wheel\n", false },
		{ "[Match]\nUser=ann\nGroup=wheel\n", false },
		{ "[Match]\nProfile=web\n", true },
		{ "[Match]\nProfile=parent\n", true },
		{ "[Match]\nProfile=grandparent\n", true },
		{ "[Match]\nProfile=other\n", false },
		{ "[Match]\nProfile=other\nProfile=web\nUser=ann\nGroup=staff\n", true },
		{ "[Match]\nProfile=web\nUser=bob\n", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(profile_freep) struct profile *p = profile_of(
			APP "[Network]\nMode=private\n", "web");
		_cleanup_free_ char *rule = xasprintf("%s[Network]\nMode=none\n", rows[i].match);
		_cleanup_(error_freep) struct error *error = NULL;

		strv_add(&p->parents, "parent");
		strv_add(&p->parents, "grandparent");
		if ((apply(rule, p, &error) < 0) != rows[i].binds)
			fail_msg("'%s'", rows[i].match);
	}
}

static void test_rules_that_make_no_sense(void **state)
{
	static const char *const rows[][2] = {
		{ "[Network]\nMod=none\n", "rule:2: unknown key Mod=" },
		{ "[Net]\nMode=none\n", "rule:1: unknown section [Net]" },
		{ "[Network]\nMode=\n", "rule:2: Mode= of a rule needs a value" },
		{ "[Network]\nMode=all\n", "rule:2: Mode= must be one of" },
		{ "[Network]\nMode=none\nMode=none\n", "rule:3: Mode= is given twice" },
		{ "[App]\nTitle=x\n", "rule:2: Title= says nothing about rights" },
		{ "[App]\nIcon=x\n", "rule:2: Icon= is not supported in this version" },
		{ "[Profile]\nInherit=x\n", "rule:2: Inherit=" },
		{ "[Files]\nReadOnly=%d\n", "rule:2: ReadOnly= of a rule must begin with" },
		{ "[Network]\nMode=none\n[Match]\nUser=ann\n", "rule:3: [Match] must come first" },
		{ "[Match]\nHost=x\n", "rule:2: unknown key Host= in [Match]" },
		{ "[Match]\nProfile=*\n", "rule:2: Profile= must be" },
		{ "[Match]\nUser=\n", "rule:2: User= must be" },
		{ "[Match]\nGroup=a, b\n", "rule:2: Group= must be" },
		{ "Mode=none\n", "rule:1:" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_(ceiling_freep) struct ceiling *c = ceiling_new();
		struct error *error = NULL;
		int r = ceiling_add(c, rows[i][0], strlen(rows[i][0]), "rule", &error);

		assert_refused(r, error, -r, rows[i][1]);
		assert_true(r < 0);
		assert_int_equal(ceiling_count(c), 0);
	}
}

static void test_what_is_given(void **state)
{
	static const struct {
		const char *rule, *path;
		bool writable, asked, allowed;
	} rows[] = {
		{ "[Network]\nMode=none\n", "/x", true, true, true },
		{ "[Files]\nArguments=none\n", "/x", false, true, false },
		{ "[Files]\nArguments=none\n", "/x", false, false, true },
		{ "[Files]\nArguments=read-only\n", "/x", false, true, true },
		{ "[Files]\nArguments=read-only\n", "/x", true, true, false },
		{ "[Files]\nArguments=read-write\n", "/x", true, true, true },
		{ "[Files]\nReadOnly=~/a\n", HOME "/a/b", false, true, true },
		{ "[Files]\nReadOnly=~/a\n", HOME "/ab", false, true, false },
		{ "[Files]\nReadOnly=~/a\n", HOME "/a/b", true, true, false },
		{ "[Files]\nReadOnly=~/a\n", HOME "/ab", false, false, false },
		{ "[Files]\nReadWrite=~/a\n", "/srv", false, true, true },
		{ "[Files]\nReadWrite=~/a\n", "/srv", true, true, false },
		{ "[Files]\nReadOnly=\nReadWrite=~/a\n", HOME "/a", false, true, true },
		{ "[Match]\nUser=bob\n[Files]\nArguments=none\n", "/x", true, true, true },
	};
	_cleanup_(profile_freep) struct profile *p = profile_of(APP, "x");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *const rules[] = { rows[i].rule, NULL };
		_cleanup_(ceiling_freep) struct ceiling *c = ceiling_of(rules);
		_cleanup_(error_freep) struct error *error = NULL;
		int r = ceiling_check_given(c, &ann, p, rows[i].path, rows[i].writable,
					    rows[i].asked, &error);

		if ((r >= 0) != rows[i].allowed)
			fail_msg("%zu: '%s' and '%s'", i, rows[i].rule, rows[i].path);
	}
}

/* --- whatever there is ------------------------------------------------------------- */

/* With the paths as they lie for this user. */
static void resolve_paths(struct profile *p)
{
	for (size_t i = 0; key_at(i); i++) {
		char **list;

		if (key_at(i)->order != ORDER_PATHS)
			continue;
		for (list = *(char ***)key_field(key_at(i), p); list && *list; list++) {
			char *path = resolve(NULL, *list);

			free(*list);
			*list = path;
		}
	}
}

static bool is_beneath(const struct profile *p, const char *rule)
{
	_cleanup_(profile_freep) struct profile *resolved = profile_copy(p);
	struct ceiling_rule *r = NULL;
	struct error *error = NULL;
	bool beneath = true;

	assert_done(ceiling_rule_read(rule, strlen(rule), "rule", &r, &error), error);
	resolve_paths(resolved);
	resolve_paths(r->limits);
	for (size_t i = 0; key_at(i); i++)
		if (ceiling_rule_limits(r, key_at(i)) &&
		    key_exceeds(key_at(i), resolved, r->limits, NULL))
			beneath = false;
	ceiling_rule_free(r);
	return beneath;
}

static void merge_sections(struct buf *text, struct buf *out)
{
	const char *last = "";
	char *state, *line;

	for (line = strtok_r(text->data, "\n", &state); line; line = strtok_r(NULL, "\n", &state)) {
		if (*line == '[' && !strcmp(line, last))
			continue;
		if (*line == '[')
			last = line;
		buf_addf(out, "%s\n", line);
	}
}

static struct profile *random_profile(uint64_t *seed)
{
	_cleanup_buf_ struct buf keys = { 0 }, text = { 0 };

	buf_adds(&keys, APP);
	random_keys(&keys, seed, 10, false);
	merge_sections(&keys, &text);
	return profile_of(text.data, "random");
}

static char *random_rule(uint64_t *seed)
{
	_cleanup_buf_ struct buf keys = { 0 };
	struct buf text = { 0 };

	random_keys(&keys, seed, 10, true);
	if (keys.data)
		merge_sections(&keys, &text);
	return buf_take(&text);
}

static void test_nothing_is_above(void **state)
{
	uint64_t seed = 6;
	unsigned passed = 0, refused = 0, narrowed = 0;

	(void)state;
	for (unsigned i = 0; i < ROUNDS; i++) {
		_cleanup_(profile_freep) struct profile *p = random_profile(&seed);
		_cleanup_free_ char *one = random_rule(&seed), *other = random_rule(&seed);
		_cleanup_free_ char *before = profile_write(p), *after = NULL, *again = NULL;
		const char *const rules[] = { one, other, NULL };
		_cleanup_(ceiling_freep) struct ceiling *c = ceiling_of(rules);
		_cleanup_(profile_freep) struct profile *was = profile_copy(p);
		_cleanup_(error_freep) struct error *error = NULL;

		if (ceiling_apply(c, &ann, p, &error) < 0) {
			refused++;
			continue;
		}
		passed++;
		after = profile_write(p);
		narrowed += strcmp(before, after) != 0;
		assert_true(is_beneath(p, one) && is_beneath(p, other));
		assert_false(profile_exceeds(p, was));
		assert_done(ceiling_apply(c, &ann, p, &error), error);
		again = profile_write(p);
		assert_string_equal(after, again);
	}
	/* Each of them was seen. */
	assert_true(passed > ROUNDS / 20 && refused > ROUNDS / 20 && narrowed > ROUNDS / 20);
}

static void test_a_copy_is_the_same(void **state)
{
	uint64_t seed = 7;

	(void)state;
	for (unsigned i = 0; i < ROUNDS / 10; i++) {
		_cleanup_(profile_freep) struct profile *p = random_profile(&seed);
		_cleanup_(profile_freep) struct profile *copy = profile_copy(p);
		_cleanup_free_ char *one = profile_write(p), *other = profile_write(copy);

		assert_string_equal(one, other);
		assert_false(profile_exceeds(p, copy) || profile_exceeds(copy, p));
		for (size_t j = 0; key_at(j); j++) {
			assert_int_equal(p->origins[j].line, copy->origins[j].line);
			assert_int_equal(!p->origins[j].file, !copy->origins[j].file);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_asked_for_is_refused),
		cmocka_unit_test(test_what_is_within_passes),
		cmocka_unit_test(test_what_nobody_said_is_narrowed),
		cmocka_unit_test(test_denied_calls_come_together),
		cmocka_unit_test(test_the_narrowest_rule_counts),
		cmocka_unit_test(test_whom_a_rule_binds),
		cmocka_unit_test(test_rules_that_make_no_sense),
		cmocka_unit_test(test_what_is_given),
		cmocka_unit_test(test_nothing_is_above),
		cmocka_unit_test(test_a_copy_is_the_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
