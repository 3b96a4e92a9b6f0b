/* view/lint: each check finds what it is for, and nothing in a profile that is as it should be. */

#include "view/lint.h"

#include "base/strv.h"
#include "unit.h"

#define GOOD "# Gives: nothing.\n[App]\nCommand=x\n"
#define TEST "[Test]\nWindow=*\nStep=key a\nStep=changed\n"

static char *codes_of(const char *text, const char *parent_text, struct profile *const *all,
		      size_t n_all, const char *exceptions)
{
	static char *const packages[] = { (char *)"evince", NULL };
	static char *const looked_at[] = { (char *)"one", NULL };
	_cleanup_(profile_freep) struct profile *p = NULL, *parent = NULL;
	_cleanup_(lint_release) struct lint findings = { 0 };
	_cleanup_strv_ char **codes = NULL;
	struct error *error = NULL;
	struct lint_subject s;

	assert_done(profile_read(text, strlen(text), "one.vitrine", "one", &p, &error), error);
	if (parent_text)
		assert_done(
			profile_read(parent_text, strlen(parent_text), "p", "p", &parent, &error),
			error);
	s = (struct lint_subject){
		.profile = p,
		.text = text,
		.file = "one.vitrine",
		.parent = parent,
		.has_recipe = strcmp(p->image, "none") != 0,
		.packages = packages,
		.policy = "# head\nallow read\nallow write arg0 eq 1\n",
		.all = all,
		.n_all = n_all,
	};
	lint_profile(&s, &findings);
	if (exceptions)
		lint_except(&findings, exceptions, "exceptions", looked_at);
	for (size_t i = 0; i < findings.n; i++)
		strv_add(&codes, findings.list[i].code);
	return codes ? strv_join(codes, " ") : xstrdup("");
}

static void test_checks(void **state)
{
	static const struct {
		const char *text, *parent, *codes;
	} rows[] = {
		{ GOOD TEST, NULL, "" },
		{ "[App]\nCommand=x\n" TEST, NULL, "V001" },
		{ GOOD "Image=none\n" TEST, NULL, "V002" },
		{ GOOD "Package=evince\n" TEST, NULL, "" },
		{ GOOD "Package=mpv\n" TEST, NULL, "V003" },
		{ GOOD, NULL, "V004" },
		{ GOOD "[Test]\nWindow=*\nStep=key a\n", NULL, "V005" },
		{ GOOD "[Network]\nMode=none\n" TEST, NULL, "V006" },
		{ GOOD "[Network]\nMode=none\n" TEST, "[App]\nCommand=y\n", "V007" },
		{ GOOD "[Identity]\nUidMode=user\n" TEST, NULL, "V010" },
		{ GOOD "[Display]\nViewer=host\n" TEST, NULL, "V011" },
		{ GOOD "[Display]\nClipboard=both\n" TEST, NULL, "V012 V027" },
		{ GOOD "[Display]\nClipboard=both\n" TEST "Step=key ctrl+v\nStep=changed\n", NULL,
		  "V012" },
		{ GOOD "[Seccomp]\nAllow=read\n" TEST, NULL, "V013 V030" },
		{ GOOD "[Seccomp]\nAllow=write\n" TEST, NULL, "V030" },
		{ GOOD "[Sound]\nPlayback=yes\n" TEST, NULL, "V020" },
		{ GOOD "[Sound]\nPlayback=yes\n" TEST "Step=sound\n", NULL, "" },
		{ GOOD "[Network]\nMode=private\n" TEST, NULL, "V021" },
		{ GOOD "[Network]\nMode=private\n" TEST "Argument=http://x\n", NULL, "" },
		{ GOOD "[Files]\nArguments=read-only\n" TEST, NULL, "V022" },
		{ GOOD "[Files]\nArguments=read-only\n" TEST "File=a.txt\n", NULL, "" },
		{ GOOD "[Files]\nArguments=read-write\n" TEST "File=a.txt\n", NULL, "V023" },
		{ GOOD "[Files]\nReadOnly=~/a\nReadWrite=~/b\n" TEST, NULL, "V024 V025" },
		{ GOOD "[Files]\nHome=kept\n" TEST, NULL, "V026" },
		{ GOOD "[Exec]\nWritableMounts=yes\n" TEST, NULL, "V028" },
		{ GOOD "[Seccomp]\nUserNamespaces=1\n" TEST, NULL, "V029" },
		{ GOOD "[Files]\nRoot=writable\n" TEST, NULL, "V031" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *codes = codes_of(rows[i].text, rows[i].parent, NULL, 0, NULL);

		if (strcmp(codes, rows[i].codes) != 0)
			fail_msg("'%s' and not '%s' of: %s", codes, rows[i].codes, rows[i].text);
	}
}

static void test_other_profiles(void **state)
{
	static const char other_text[] = "[App]\nCommand=x\nAlias=web\nTitle=Same\n";
	_cleanup_(profile_freep) struct profile *other = NULL;
	_cleanup_free_ char *alias = NULL, *name = NULL, *title = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(profile_read(other_text, strlen(other_text), "o", "other", &other, &error),
		    error);
	alias = codes_of(GOOD "Alias=web\n" TEST, NULL, &other, 1, NULL);
	assert_string_equal(alias, "V040");
	name = codes_of(GOOD "Alias=other\n" TEST, NULL, &other, 1, NULL);
	assert_string_equal(name, "V040");
	title = codes_of(GOOD "Title=Same\n" TEST, NULL, &other, 1, NULL);
	assert_string_equal(title, "V041");
}

static void test_exceptions(void **state)
{
	static const struct {
		const char *exceptions, *codes;
	} rows[] = {
		{ "# none\n\n", "V004" },
		{ "one V004 why\n", "" },
		{ "one V004\n", "V004 V090" },
		{ "one V004  \n", "V004 V090" },
		{ "one V4 why\n", "V004 V090" },
		{ "../x V004 why\n", "V004 V090" },
		{ "one V021 why\n", "V004 V091" },
		{ "two V004 why\n", "V004" }, /* was not looked at */
		{ "one V004 why\none V004 again\n", "V091" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *codes = codes_of(GOOD, NULL, NULL, 0, rows[i].exceptions);

		assert_string_equal(codes, rows[i].codes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checks),
		cmocka_unit_test(test_other_profiles),
		cmocka_unit_test(test_exceptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
