/* plan/protected: what is never given, what is masked, and what can be given. */

#include "plan/protected.h"

#include <stdio.h>

#include "base/fold.h"
#include "base/strv.h"
#include "unit.h"

static const struct protection user = { .home = "/home/ada", .uid = 1000 };

static void refused(const struct protection *p, const char *path, const char *why)
{
	struct error *error = NULL;

	if (protected_check(p, path, true, &error) == 0)
		fail_msg("'%s' could be given", path);
	assert_int_equal(error->code, EPERM);
	if (!strstr(error->message, why) || !strstr(error->message, "'"))
		fail_msg("'%s': '%s'", path, error->message);
	assert_null(strchr(error->message, '\n'));
	error_free(error);
}

static void allowed(const struct protection *p, const char *path)
{
	struct error *error = NULL;

	if (protected_check(p, path, false, &error) < 0)
		fail_msg("%s", error->message);
}

static void test_table_is_in_its_shortest_form(void **state)
{
	(void)state;
	for (const char *const *a = protected_in_home; *a; a++) {
		assert_true(**a && **a != '/' && (*a)[strlen(*a) - 1] != '/');
		assert_null(strstr(*a, "//"));
		assert_null(strstr(*a, ".."));
		for (const char *const *b = protected_in_home; *b; b++)
			if (a != b && fold_beneath(*a, *b))
				fail_msg("'%s' is covered by '%s'", *a, *b);
	}
}

static void test_what_runs_at_login_is_refused(void **state)
{
	static const char *const names[] = {
		".bashrc",
		".profile",
		".zshrc",
		".zshenv",
		".config/fish/config.fish",
		".cshrc",
		".kshrc",
		".xinitrc",
		".xprofile",
		".xsessionrc",
		".Xauthority",
		".ICEauthority",
		".pam_environment",
		".config/autostart",
		".config/autostart/evil.desktop",
		".config/autostart-scripts/x.sh",
		".config/systemd/user/x.service",
		".config/environment.d/x.conf",
		".config/plasma-workspace/env/x.sh",
		".config/upstart",
		".config/vitrine/profiles/x.vitrine",
		".local/state/vitrine/trust/web",
		".local/share/vitrine/homes",
		".1password/agent.sock",
		".cache/keyring-AbCdEf/ssh",
		".colima/default/docker.sock",
		".docker/run/docker.sock",
		".gnupg/S.gpg-agent.ssh",
		".config/user-dirs.dirs",
		".local/share/vitrine",
		".local/state/vitrine/log",
		".cache/vitrine",
		".cache/vitrine-new",
		".local/share/applications/x.desktop",
		".local/share/dbus-1/services/x.service",
		".local/share/systemd/user",
		".local/share/flatpak/overrides/global",
		".local/bin/ls",
		"bin/ls",
		".ssh",
		".ssh/authorized_keys",
		".gnupg/gpg-agent.conf",
		".gitconfig",
		".config/git/config",
		".vimrc",
		".vim/plugin/x.vim",
		".config/nvim/init.lua",
		".emacs",
		".emacs.d/init.el",
		".config/emacs",
		".dbus/session-bus",
		".mozilla/native-messaging-hosts/x.json",
		".local/lib/python3.11/site-packages/x.pth",
		".bash_history",
		".zshrc.zwc",
		".zcompdump-museum-5.9",
		".Xauthority-c",
		".cache/p10k-instant-prompt-ada.zsh",
		".config/user-tmpfiles.d/x.conf",
		".local/share/user-tmpfiles.d",
		".config/syncthing/config.xml",
		".config/kdeconnect",
		".config/powerdevilrc",
		".inputrc",
		".selected_editor",
		".asdf/shims/git",
		"miniconda3/bin/python",
		".zsh_plugins.zsh",
		".netrc",
		".pgpass",
		".pypirc",
		".git-credentials",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("/home/ada/%s", names[i]);

		refused(&user, path, "copy");
	}
}

static void test_what_is_like_a_protected_name_is_not_it(void **state)
{
	static const char *const names[] = {
		"a.pdf",
		"Documents",
		"Documents/.bashrc",
		".sshx",
		".ss",
		"x.ssh",
		".config/mpv",
		".config/autostarts",
		".config/vitrin",
		".mozilla",
		".mozilla/firefox",
		"binary",
		".local/share/app",
		".cache/vitrin",
		".cargo",
		"go",
		"snap/firefox",
		".var/app/x",
		"\x01\xff\n",
		" ",
		".gitconfi",
		"...",
		"..a",
		"-rf",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("/home/ada/%s", names[i]);

		allowed(&user, path);
	}
}

static void test_case_and_its_kin_do_not_matter(void **state)
{
	static const char *const names[] = {
		".BASHRC",
		".Config/AutoStart/x",
		".local/SHARE/Applications",
		".xauthority",
		".ba\xc5\xbfhrc" /* long s */,
		".\xc3\x9fh/config" /* sharp s */,
		".con\xef\xac\x81g/autostart" /* fi */,
		".\xe2\x84\xaashrc" /* Kelvin */,
		".bash\xe2\x80\x8crc" /* zero width */,
		"\xef\xbb\xbf.profile",
		".config/auto\xef\xac\x86"
		"art",
		".zshr\xc2\xad"
		"c",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_free_ char *path = xasprintf("/home/ada/%s", names[i]);

		refused(&user, path, "copy");
	}
	refused(&user, "/HOME/Ada", "your home");
	refused(&user, "/Tmp/.x11-UNIX/X0", "display");
	/* Bytes that are no character, or are cut short, are compared as bytes. */
	allowed(&user, "/home/ada/.ba\xc5hrc");
	allowed(&user, "/home/ada/.bashr\xe2\x84");
	allowed(&user, "/home/ada/.bashr\xf0\x9f");
}

static void test_the_home_and_what_is_above_it(void **state)
{
	static const struct protection deep = { .home = "/var/lib/ada/home", .uid = 1000 };

	(void)state;
	refused(&user, "/home/ada", "is your home: give a directory beneath it");
	refused(&user, "/home", "holds your home");
	refused(&user, "/", "holds your home");
	allowed(&user, "/home/ada/.config"); /* with its masks */
	allowed(&user, "/home/ada/.local/share");
	refused(&deep, "/var/lib", "holds your home");
	refused(&deep, "/var/lib/adam", "belongs to the system");
	allowed(&deep, "/var/lib/ada/home/a.pdf");
	refused(&deep, "/var/lib/ada/home/.bashrc", "copy");
	allowed(&user, "/home/adam/a.pdf");
}

static void test_system_directories(void **state)
{
	static const char *const never[] = {
		"/bin/sh",
		"/boot",
		"/dev/sda",
		"/etc",
		"/etc/passwd",
		"/lib64",
		"/proc/1/root/x",
		"/root/x",
		"/run",
		"/run/user",
		"/run/user/1000",
		"/run/user/1000/bus",
		"/run/user/1000/gvfs",
		"/run/user/1000/doc",
		"/run/user/1000/doc/by-app",
		"/run/user/1000/doc/by-app/x/y",
		"/run/user/1000/pulse/native",
		"/run/user/1000/vitrine",
		"/run/user/1001/gvfs/x",
		"/run/user/1000/gvfsx/y",
		"/run/media",
		"/run/media/ada",
		"/run/dbus/system_bus_socket",
		"/run/docker.sock",
		"/sbin",
		"/sys/kernel",
		"/usr/share/x",
		"/var",
		"/var/lib/vitrine/x",
		"/var/run/x",
		"/var/tmpx",
		"/home",
		"/tmp",
		"/var/tmp",
		"/media",
		"/mnt",
		"/opt",
		"/srv",
		"/tmp/.X11-unix/X0",
		"/tmp/.ICE-unix",
		"/tmp/.X0-lock",
		"/tmp/ssh-XXXX/agent.1",
		"/tmp/tmux-1000/default",
		"/tmp/keyring-AbCd/ssh",
		"/tmp/emacs1000/server",
		"/tmp/uscreens/S-ada",
		"/var/tmp/vitrine-image.x/root",
	};
	static const char *const fine[] = {
		"/run/media/ada/STICK",
		"/run/media/ada/STICK/a.pdf",
		"/run/user/1000/gvfs/sftp:x",
		"/run/user/1000/doc/4f2a/a.pdf",
		"/var/tmp/x",
		"/tmp/x",
		"/tmp/x/.X11-unix",
		"/media/ada",
		"/mnt/x",
		"/opt/x",
		"/srv/x",
		"/data",
		"/usrx",
		"/etcetera/x",
	};
	static const struct protection other = { .home = "/home/bob", .uid = 1001 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		refused(&user, never[i], "'");
	for (size_t i = 0; i < ARRAY_SIZE(fine); i++)
		allowed(&user, fine[i]);
	refused(&other, "/run/user/1000/gvfs/x", "system");
}

static void test_only_real_paths_are_judged(void **state)
{
	static const char *const odd[] = {
		"",
		"a",
		"./a",
		"/home/ada/x/../.bashrc",
		"/home/ada/./a",
		"/home/ada//a",
		"/home/ada/a/",
		"//",
		"/..",
		"/home/ada/..",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(odd); i++)
		refused(&user, odd[i], "shortest form");
}

static void test_message_is_escaped(void **state)
{
	(void)state;
	refused(&user, "/home/ada/.ssh/\033[2J\n", "'/home/ada/.ssh/\\x1b[2J\\x0a'");
}

static void test_where_links_lead_is_protected(void **state)
{
	char *const elsewhere[] = { (char *)"/home/ada/dotfiles/bashrc", (char *)"/data/auto",
				    NULL };
	const struct protection p = { .home = "/home/ada", .uid = 1000, .elsewhere = elsewhere };
	_cleanup_strv_ char **masks = protected_masks(&p, "/home/ada/dotfiles");
	_cleanup_strv_ char **others = protected_masks(&p, "/data");

	(void)state;
	refused(&p, "/home/ada/dotfiles/BASHRC", "copy");
	refused(&p, "/data/auto/x.desktop", "copy");
	allowed(&p, "/home/ada/dotfiles");
	allowed(&p, "/data/autos");
	assert_int_equal(strv_length(masks), 1);
	assert_string_equal(masks[0], "bashrc");
	assert_int_equal(strv_length(others), 1);
	assert_string_equal(others[0], "auto");
}

/* As the gate compares. */
static bool hides(char *const *masks, const char *rest)
{
	for (; masks && *masks; masks++) {
		size_t n = strlen(*masks);
		_cleanup_free_ char *begin = xstrndup(*masks, n ? n - 1 : 0);

		if (n && (*masks)[n - 1] == '*' ? fold_begins(rest, begin)
						: fold_beneath(rest, *masks) != NULL)
			return true;
	}
	return false;
}

/* What can be given as it is would be a way around the masks of what lies above it. */
static void masks_are_refused(const struct protection *p, const char *tree, char *const *masks)
{
	for (; masks && *masks; masks++) {
		_cleanup_free_ char *path = xasprintf("%s/%s", tree, *masks);
		size_t n = strlen(path);

		if (path[n - 1] == '*')
			path[n - 1] = '\0';
		refused(p, path, "copy");
	}
}

/* Each directory between `top` and `path` is refused, or what is given of it hides the path. */
static void kept_from_above(const struct protection *p, const char *top, const char *path)
{
	static const char *const more[] = { "", "/x" };
	size_t n = strlen(top);
	unsigned above = 0;

	refused(p, path, "copy");
	for (const char *slash = path + n; (slash = strchr(slash + 1, '/')); above++) {
		_cleanup_free_ char *tree = xstrndup(path, (size_t)(slash - path));
		_cleanup_strv_ char **masks = protected_masks(p, tree);
		_cleanup_(error_freep) struct error *error = NULL;

		if (protected_check(p, tree, true, &error) < 0)
			continue;
		for (size_t i = 0; i < ARRAY_SIZE(more); i++) {
			_cleanup_free_ char *rest = xasprintf("%s%s", slash + 1, more[i]);

			if (!hides(masks, rest))
				fail_msg("'%s' shows '%s'", tree, rest);
		}
		masks_are_refused(p, tree, masks);
	}
	assert_true(above > 0 || !strchr(path + n + 1, '/'));
}

static void test_refusals_and_masks_agree(void **state)
{
	static const char *const ends[] = { "", "-x", ".zwc", "x/y" };
	char *const elsewhere[] = { (char *)"/home/ada/dots/sub/profile", (char *)"/data/a/b",
				    NULL };
	char *const begins[] = { (char *)"/home/ada/my/cache/p10k-", (char *)"/data/z/.zsh", NULL };
	const struct protection p = {
		.home = "/home/ada", .uid = 1000, .elsewhere = elsewhere, .begins = begins
	};

	(void)state;
	for (const char *const *name = protected_in_home; *name; name++) {
		_cleanup_free_ char *path = xasprintf("/home/ada/%s", *name);

		kept_from_above(&p, "/home/ada", path);
	}
	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		for (const char *const *name = protected_begins_in_home; *name; name++) {
			_cleanup_free_ char *path = xasprintf("/home/ada/%s%s", *name, ends[i]);

			assert_true(protected_begins(path + strlen("/home/ada/")));
			kept_from_above(&p, "/home/ada", path);
		}
		for (char *const *begin = begins; *begin; begin++) {
			_cleanup_free_ char *path = xasprintf("%s%s", *begin, ends[i]);

			kept_from_above(&p, begin == begins ? "/home/ada" : "", path);
		}
	}
	kept_from_above(&p, "/home/ada", elsewhere[0]);
	kept_from_above(&p, "", elsewhere[1]);
}

static void test_masks_of_what_only_begins_so(void **state)
{
	_cleanup_strv_ char **cache = protected_masks(&user, "/home/ada/.cache");
	_cleanup_strv_ char **folded = protected_masks(&user, "/home/ada/.CACHE");

	(void)state;
	allowed(&user, "/home/ada/.cache");
	allowed(&user, "/home/ada/.CACHE");
	allowed(&user, "/home/ada/.cache/thumbnails");
	assert_true(strv_contains(cache, "p10k-*"));
	assert_true(strv_contains(cache, "vitrine*"));
	assert_true(strv_contains(cache, "zsh"));
	assert_int_equal(strv_length(folded), strv_length(cache));
	assert_false(protected_begins(".cache/p10"));
}

static void test_masks_of_a_tree(void **state)
{
	_cleanup_strv_ char **config = protected_masks(&user, "/home/ada/.config");
	_cleanup_strv_ char **folded = protected_masks(&user, "/home/ada/.CONFIG");
	_cleanup_strv_ char **browser = protected_masks(&user, "/home/ada/.mozilla");
	_cleanup_strv_ char **local = protected_masks(&user, "/home/ada/.local");
	_cleanup_strv_ char **home = protected_masks(&user, "/home/ada");

	(void)state;
	assert_true(strv_contains(config, "autostart"));
	assert_true(strv_contains(config, "vitrine"));
	assert_false(strv_contains(config, ".bashrc"));
	assert_int_equal(strv_length(folded), strv_length(config));
	assert_true(strv_contains(local, "share/applications"));
	assert_true(strv_contains(local, "bin"));
	assert_true(strv_contains(browser, "native-messaging-hosts"));
	assert_true(strv_contains(home, ".config/autostart"));
	assert_null(protected_masks(&user, "/home/ada/Documents"));
	assert_null(protected_masks(&user, "/home/ada/.ssh"));
	assert_null(protected_masks(&user, "/home/adam"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_is_in_its_shortest_form),
		cmocka_unit_test(test_what_runs_at_login_is_refused),
		cmocka_unit_test(test_what_is_like_a_protected_name_is_not_it),
		cmocka_unit_test(test_case_and_its_kin_do_not_matter),
		cmocka_unit_test(test_the_home_and_what_is_above_it),
		cmocka_unit_test(test_system_directories),
		cmocka_unit_test(test_only_real_paths_are_judged),
		cmocka_unit_test(test_message_is_escaped),
		cmocka_unit_test(test_where_links_lead_is_protected),
		cmocka_unit_test(test_refusals_and_masks_agree),
		cmocka_unit_test(test_masks_of_what_only_begins_so),
		cmocka_unit_test(test_masks_of_a_tree),
	};

	return cmocka_run_group_tests_name("protected", tests, NULL, NULL);
}
