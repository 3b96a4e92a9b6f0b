/* host-path: paths of the host as a profile names them. */

#include "profile/host-path.h"

#include "unit.h"

static char *const dirs[USER_DIR_MAX] = {
	[USER_DIR_DESKTOP] = (char *)"Desktop",	   [USER_DIR_DOCUMENTS] = (char *)"Dokumente",
	[USER_DIR_DOWNLOAD] = (char *)"/disk/in",  [USER_DIR_MUSIC] = (char *)"Musik",
	[USER_DIR_PICTURES] = (char *)"Bilder",	   [USER_DIR_PUBLICSHARE] = (char *)"Public",
	[USER_DIR_TEMPLATES] = (char *)"Vorlagen", [USER_DIR_VIDEOS] = (char *)"Filme/alle",
};

static void test_paths_and_what_they_mean(void **state)
{
	static const struct {
		const char *path, *meaning; /* NULL: it is none */
	} rows[] = {
		{ "/srv/data", "/srv/data" },
		{ "~/a b/%d", "/home/ann/a b/%d" },
		{ "%h/a", "/home/ann/a" },
		{ "%h", NULL },
		{ "%h/", NULL },
		{ "%h/../x", NULL },
		{ "%d", "/disk/in" },
		{ "%d/x", "/disk/in/x" },
		{ "%D/x/y", "/home/ann/Dokumente/x/y" },
		{ "%V", "/home/ann/Filme/alle" },
		{ "%t", "/home/ann/Vorlagen" },
		{ "~", NULL },
		{ "~/", NULL },
		{ "~ann/x", NULL },
		{ "/", NULL },
		{ "/a/", NULL },
		{ "//a", NULL },
		{ "/a/../b", NULL },
		{ "/a/..", NULL },
		{ "~/./b", NULL },
		{ "%", NULL },
		{ "%x", NULL },
		{ "%dx", NULL },
		{ "%d/", NULL },
		{ "%d/../x", NULL },
		{ "a/b", NULL },
		{ "$HOME/x", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *path = NULL;

		assert_int_equal(host_path_is_valid(rows[i].path), rows[i].meaning != NULL);
		if (!rows[i].meaning)
			continue;
		path = host_path_expand(rows[i].path, "/home/ann", dirs);
		assert_string_equal(path, rows[i].meaning);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_and_what_they_mean),
	};

	return cmocka_run_group_tests_name("host-path", tests, NULL, NULL);
}
