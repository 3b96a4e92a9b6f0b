/* emit/apparmor: what a box's own profile allows is what its plan gives, whatever paths look like.
 */

#include "emit/apparmor.h"

#include "base/sha256.h"
#include "sample.h"
#include "unit.h"

static struct plan *make(const char *profile)
{
	struct plan *p = NULL;
	struct error *error = NULL;

	assert_done(sample_plan(profile, "test", &as_profile, &sample_host,
				&sample_inputs_with_grants, &p, &error),
		    error);
	return p;
}

/* The text of the app box. */
static char *render(const char *profile)
{
	_cleanup_(apparmor_profile_release) struct apparmor_profile own = { 0 };
	_cleanup_(plan_freep) struct plan *p = make(profile);

	apparmor_render(&p->boxes[BOX_APP], &own);
	assert_non_null(strstr(own.text, own.name));
	return TAKE_PTR(own.text);
}

static void test_what_is_given(void **state)
{
	_cleanup_free_ char *text = render("[App]\nCommand=x\n");

	(void)state;
	assert_non_null(strstr(text, "\n  \"/srv/data/{,**}\" wkl,\n"));
	assert_non_null(strstr(text, "\n  audit deny \"/home/ann/Music/{,**}\" wkl,\n"));
	assert_non_null(strstr(text, "\n  audit deny \"/home/ann/Music/list\" wkl,\n"));
	assert_non_null(strstr(text, "\n  \"/home/ann/{,**}\" wkl,\n"));
	assert_null(strstr(text, "\"/run/{,**}\"")); /* its root's */
	assert_null(strstr(text, "  /** wkl,"));
	assert_null(strstr(text, "\" ix,"));
}

static void test_what_can_be_executed(void **state)
{
	_cleanup_free_ char *text = render("[App]\nCommand=x\n[Exec]\nWritableMounts=yes\n");

	(void)state;
	assert_non_null(strstr(text, "\n  \"/home/ann/{,**}\" ix,\n"));
	assert_non_null(strstr(text, "\n  \"/srv/data/{,**}\" ix,\n"));
}

static void test_a_writable_root(void **state)
{
	_cleanup_free_ char *text = render("[App]\nCommand=x\n[Files]\nRoot=writable\n");

	(void)state;
	assert_non_null(strstr(text, "\n  /** wkl,\n"));
}

static void test_no_path_is_read_as_a_rule(void **state)
{
	struct box_mount mount = {
		.source = MOUNT_GATE,
		.target = (char *)"/m/\" w,\n /** rwx, #*?[a]{b,c}^@{HOME}\\\xc3\xa4 x",
		.owner = 1000,
	};
	const struct box_plan box = { .mounts = &mount, .n_mounts = 1 };
	_cleanup_(apparmor_profile_release) struct apparmor_profile own = { 0 };

	(void)state;
	apparmor_render(&box, &own);
	assert_non_null(strstr(own.text, "\n  \"/m/? w?? /?? rwx? "
					 "????a??b?c????HOME???? x/{,**}\" wkl,\n}\n"));
}

static void test_the_name_is_that_of_the_text(void **state)
{
	static const char *const profiles[] = {
		"[App]\nCommand=x\n",
		"[App]\nCommand=y\n", /* makes no difference */
		"[App]\nCommand=x\n[Exec]\nWritableMounts=yes\n",
	};
	char *texts[ARRAY_SIZE(profiles)];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		texts[i] = render(profiles[i]);
	assert_string_equal(texts[0], texts[1]);
	assert_string_not_equal(texts[0], texts[2]);
	assert_int_not_equal(
		strncmp(strstr(texts[0], "profile "), strstr(texts[2], "profile "), 44), 0);
	for (size_t i = 0; i < ARRAY_SIZE(profiles); i++)
		free(texts[i]);
}

/* The examples of FIPS 180-4. */
static void test_sha256(void **state)
{
	static const struct {
		const char *text, *digest;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *digest = sha256_hex(rows[i].text, strlen(rows[i].text));

		assert_string_equal(digest, rows[i].digest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_given),
		cmocka_unit_test(test_what_can_be_executed),
		cmocka_unit_test(test_a_writable_root),
		cmocka_unit_test(test_no_path_is_read_as_a_rule),
		cmocka_unit_test(test_the_name_is_that_of_the_text),
		cmocka_unit_test(test_sha256),
	};

	return cmocka_run_group_tests_name("apparmor", tests, NULL, NULL);
}
