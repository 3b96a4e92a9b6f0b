/* profile/profile: every key, the strictest defaults, and text that reads back to itself. */

#include "profile/keys.h"

#include "base/buf.h"
#include "base/strv.h"
#include "unit.h"

static int read_text(const char *text, struct profile **ret, struct error **err)
{
	return profile_read(text, strlen(text), "f", "test", ret, err);
}

static void test_defaults_are_the_strictest(void **state)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(read_text("[App]\nCommand=true\n", &p, &error), error);
	assert_string_equal(p->name, "test");
	assert_string_equal(p->command, "true");
	assert_null(p->arguments);
	assert_null(p->aliases);
	assert_string_equal(p->image, "base");
	assert_null(p->title);
	assert_false(p->single_instance);
	assert_int_equal(p->root, ROOT_READ_ONLY);
	assert_int_equal(p->home, HOME_EMPTY);
	assert_null(p->kept);
	assert_int_equal(p->file_arguments, FILE_ARGUMENTS_NONE);
	assert_null(p->read_only);
	assert_null(p->read_write);
	assert_int_equal(p->uid_mode, UID_ISOLATED);
	assert_false(p->writable_mounts);
	assert_int_equal(p->display, DISPLAY_XPRA);
	assert_int_equal(p->viewer, VIEWER_BOX);
	assert_int_equal(p->clipboard, CLIPBOARD_NONE);
	assert_string_equal(p->border, "#c02020");
	assert_string_equal(p->screen, "1024x768");
	assert_false(p->playback);
	assert_int_equal(p->network, NETWORK_NONE);
	assert_int_equal(p->disk, 512 << 20);
	assert_int_equal(p->inodes, 65536);
	assert_null(p->environment);
	assert_int_equal(p->viewer_lost, VIEWER_LOST_END);
	assert_null(p->test_steps);
	assert_null(p->test_window);
	assert_int_equal(p->test_timeout, 90);
}

static const char all_keys[] = "[App]\n"
			       "Command=/opt/a b/program\n"
			       "Argument=--one\n"
			       "Argument=two words\n"
			       "Alias=short\n"
			       "Alias=shorter\n"
			       "Image=other\n"
			       "Package=lib-x\n"
			       "Title=F\xc3\xbcr alle\n"
			       "SingleInstance=yes\n"
			       "\n[Files]\n"
			       "Root=writable\n"
			       "Home=prepared\n"
			       "Kept=.config/program\n"
			       "Kept=notes\n"
			       "Arguments=read-write\n"
			       "ReadOnly=~/Music\n"
			       "ReadOnly=%d\n"
			       "ReadWrite=/srv/data\n"
			       "\n[Exec]\n"
			       "WritableMounts=yes\n"
			       "\n[Display]\n"
			       "Backend=xephyr\n"
			       "Viewer=host\n"
			       "Clipboard=to-sandbox\n"
			       "Border=#00ff7f\n"
			       "Screen=1920x1080\n"
			       "\n[Sound]\n"
			       "Playback=yes\n"
			       "\n[Network]\n"
			       "Mode=private\n"
			       "\n[Bus]\n"
			       "Talk=org.example.A\n"
			       "Own=org.example.B.*\n"
			       "Call=org.example.C=org.example.C.*@/org/example/*\n"
			       "Broadcast=org.example.C=*@/a\n"
			       "\n[Seccomp]\n"
			       "Policy=media\n"
			       "Allow=kcmp\n"
			       "Deny=socket arg0 low 10\n"
			       "Answer=kill\n"
			       "Abi=i386\n"
			       "UserNamespaces=4\n"
			       "\n[Limits]\n"
			       "Disk=3G\n"
			       "Inodes=2000\n"
			       "Memory=1536M\n"
			       "Tasks=300\n"
			       "Cpu=150%\n"
			       "Io=20M\n"
			       "OpenFiles=512\n"
			       "Required=yes\n"
			       "\n[AppArmor]\n"
			       "Required=yes\n"
			       "\n[Identity]\n"
			       "UidMode=user\n"
			       "HostName=desk\n"
			       "TimeZone=America/Argentina/Ushuaia\n"
			       "Locale=C.UTF-8\n"
			       "\n[Environment]\n"
			       "Variable=GDK_SCALE=2\n"
			       "Variable=EMPTY=\n"
			       "\n[Session]\n"
			       "ViewerLost=keep\n"
			       "Lifetime=90min\n"
			       "\n[Test]\n"
			       "File=sample.txt\n"
			       "File=sample.pdf\n"
			       "Argument=--quick\n"
			       "Window=*sample.txt\n"
			       "Step=type a  b\n"
			       "Step=file sample.txt contains a  b\n"
			       "Timeout=120\n";

static void test_every_key_arrives(void **state)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(read_text(all_keys, &p, &error), error);
	assert_string_equal(p->command, "/opt/a b/program");
	assert_int_equal(strv_length(p->arguments), 2);
	assert_string_equal(p->arguments[1], "two words");
	assert_true(strv_contains(p->aliases, "shorter"));
	assert_string_equal(p->image, "other");
	assert_string_equal(p->title, "F\xc3\xbcr alle");
	assert_true(p->single_instance);
	assert_int_equal(p->root, ROOT_WRITABLE);
	assert_int_equal(p->file_arguments, FILE_ARGUMENTS_READ_WRITE);
	assert_string_equal(p->read_only[1], "%d");
	assert_string_equal(p->read_write[0], "/srv/data");
	assert_int_equal(p->uid_mode, UID_USER);
	assert_true(p->writable_mounts);
	assert_int_equal(p->display, DISPLAY_XEPHYR);
	assert_int_equal(p->viewer, VIEWER_HOST);
	assert_int_equal(p->clipboard, CLIPBOARD_TO_SANDBOX);
	assert_string_equal(p->border, "#00ff7f");
	assert_string_equal(p->screen, "1920x1080");
	assert_true(p->playback);
	assert_int_equal(p->network, NETWORK_PRIVATE);
	assert_int_equal(p->disk, UINT64_C(3) << 30);
	assert_int_equal(p->inodes, 2000);
	assert_true(strv_contains(p->environment, "EMPTY="));
	assert_int_equal(p->viewer_lost, VIEWER_LOST_KEEP);
}

static void test_text_is_a_fixed_point(void **state)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_free_ char *text = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(read_text(all_keys, &p, &error), error);
	text = profile_write(p);
	assert_string_equal(text, all_keys);
}

/* A key that the text above does not have would not be tested by it. */
static void test_every_key_is_tested(void **state)
{
	(void)state;
	for (size_t i = 0; key_at(i); i++) {
		const struct key *k = key_at(i);
		_cleanup_free_ char *line = xasprintf("\n%s=", k->name);

		if (key_is_supported(k) && k->type != &value_inherit && !strstr(all_keys, line))
			fail_msg("%s= is not in the test", k->name);
	}
}

static void test_what_is_not_supported_is_refused(void **state)
{
	size_t n = 0;

	(void)state;
	for (size_t i = 0; key_at(i); i++) {
		const struct key *k = key_at(i);
		_cleanup_free_ char *text = xasprintf("[%s]\n%s=\n", k->section, k->name);
		struct profile *p = NULL;
		struct error *error = NULL;

		if (key_is_supported(k))
			continue;
		n++;
		assert_refused(read_text(text, &p, &error), error, ENOTSUP,
			       "= is not supported in this version");
	}
	assert_true(n > 0);
}

/* An empty value is that of a profile that does not have the key. */
static void test_an_empty_value_is_the_fallback(void **state)
{
	_cleanup_(profile_freep) struct profile *p = NULL, *plain = NULL;
	_cleanup_free_ char *text = NULL, *expected = NULL;
	_cleanup_buf_ struct buf empty = { 0 };
	struct error *error = NULL;

	(void)state;
	p = profile_new("test");
	assert_done(profile_add(p, all_keys, strlen(all_keys), "a", &error), error);
	for (size_t i = 0; key_at(i); i++)
		if (key_is_supported(key_at(i)) && key_at(i)->type != &value_inherit)
			buf_addf(&empty, "[%s]\n%s=\n", key_at(i)->section, key_at(i)->name);
	assert_done(profile_add(p, empty.data, empty.size, "b", &error), error);
	plain = profile_new("test");
	text = profile_write(p);
	expected = profile_write(plain);
	assert_string_equal(text, expected);
}

static void test_later_files_replace_and_append(void **state)
{
	static const char first[] = "[App]\nCommand=x\nArgument=a\n[Limits]\nTasks=100\n";
	static const char second[] = "# more\n[App]\nArgument=b\n[Limits]\nTasks=200\n";
	_cleanup_(profile_freep) struct profile *p = profile_new("test");
	const struct profile_origin *origin;
	struct error *error = NULL;

	(void)state;
	assert_done(profile_add(p, first, strlen(first), "first", &error), error);
	assert_done(profile_add(p, second, strlen(second), "second", &error), error);
	assert_int_equal(p->tasks, 200);
	assert_int_equal(strv_length(p->arguments), 2);
	origin = &p->origins[key_index(key_find("Limits", "Tasks"))];
	assert_string_equal(origin->file, "second");
	assert_int_equal(origin->line, 5);
	assert_string_equal(p->origins[key_index(key_find("App", "Command"))].file, "first");
	assert_null(p->origins[key_index(key_find("Limits", "Disk"))].file);
}

static void test_lists(void **state)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	struct error *error = NULL;

	(void)state;
	assert_done(read_text("[App]\nArgument=a\nArgument=b\nArgument=\nArgument=c\nCommand=x\n",
			      &p, &error),
		    error);
	assert_int_equal(strv_length(p->arguments), 1);
	assert_string_equal(p->arguments[0], "c");
}

static void test_list_limit(void **state)
{
	_cleanup_buf_ struct buf text = { 0 };
	struct profile *p = NULL;
	struct error *error = NULL;

	(void)state;
	buf_adds(&text, "[App]\nCommand=x\n");
	for (size_t i = 0; i <= PROFILE_LIST_MAX; i++)
		buf_adds(&text, "Argument=x\n");
	assert_refused(read_text(text.data, &p, &error), error, E2BIG, "f:259: more than 256");
}

static void test_structure_is_checked(void **state)
{
	static const struct {
		const char *text, *message;
	} rows[] = {
		{ "", "f: Command= is missing in [App]" },
		{ "[App]\nCommand=a\nCommand=b\n", "f:3: Command= is given twice" },
		{ "[App]\nCommand=a\n[App]\nCommand=b\n", "f:4: Command= is given twice" },
		{ "[App]\nComand=a\n",
		  "f:2: unknown key Comand= in [App]; did you mean Command=?" },
		{ "[App]\nXyzzy=a\n", "f:2: unknown key Xyzzy= in [App]" },
		{ "[App]\ncommand=a\n", "f:2: unknown key command= in [App]; did you mean" },
		{ "[Sound]\nCommand=a\n", "f:2: Command= belongs into [App], not [Sound]" },
		{ "[Networks]\n", "f:1: unknown section [Networks]; did you mean [Network]?" },
		{ "[Xyzzy]\n", "f:1: unknown section [Xyzzy]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct profile *p = NULL;
		struct error *error = NULL;

		assert_refused(read_text(rows[i].text, &p, &error), error, EINVAL, rows[i].message);
		assert_null(p);
	}
}

static void test_values_are_checked(void **state)
{
	static const struct {
		const char *section, *setting;
	} rows[] = {
		{ "App", "Command=bin/sh" },
		{ "App", "Command=-x" },
		{ "App", "Command=/" },
		{ "App", "Alias=../x" },
		{ "App", "Image=/etc" },
		{ "App", "Title=0123456789012345678901234567890123456789012345678901234567890123" },
		{ "App", "SingleInstance=1" },
		{ "Files", "Root=yes" },
		{ "Files", "Home=yes" },
		{ "Files", "Kept=/etc" },
		{ "Files", "Kept=~/notes" },
		{ "Files", "Kept=../x" },
		{ "Files", "Kept=a/./b" },
		{ "Files", "Kept=a/" },
		{ "Files",
		  "Kept=.123456789.123456789.123456789.123456789.123456789.123456789.123456789."
		  "123456789.1234" },
		{ "Files", "Arguments=yes" },
		{ "Files", "ReadOnly=Music" },
		{ "Files", "ReadWrite=~/../x" },
		{ "Identity", "UidMode=root" },
		{ "Exec", "WritableMounts=true" },
		{ "Display", "Backend=wayland" },
		{ "Display", "Backend=Xpra" },
		{ "Display", "Viewer=none" },
		{ "Display", "Clipboard=yes" },
		{ "Display", "Border=red" },
		{ "Display", "Border=#C02020" },
		{ "Display", "Border=#c0202" },
		{ "Display", "Border=#c02020,9" },
		{ "Display", "Screen=63x768" },
		{ "Display", "Screen=1024x16385" },
		{ "Display", "Screen=1024" },
		{ "Display", "Screen=1024x768x24" },
		{ "Display", "Screen=x" },
		{ "Sound", "Playback=1" },
		{ "Network", "Mode=host" },
		{ "Limits", "Disk=lots" },
		{ "Limits", "Disk=0" },
		{ "Limits", "Disk=65G" },
		{ "Limits", "Inodes=10" },
		{ "Limits", "Inodes=1K" },
		{ "Environment", "Variable=X" },
		{ "Environment", "Variable==x" },
		{ "Environment", "Variable=x=1" },
		{ "Environment", "Variable=1X=1" },
		{ "Environment", "Variable=LD_PRELOAD=/x.so" },
		{ "Environment", "Variable=A B=1" },
		{ "Session", "ViewerLost=no" },
		{ "Session", "Lifetime=0s" },
		{ "Session", "Lifetime=10" },
		{ "Session", "Lifetime=1d" },
		{ "Session", "Lifetime=99999999999h" },
		{ "Identity", "HostName=A B" },
		{ "Identity", "TimeZone=../../etc/passwd" },
		{ "Identity", "TimeZone=/etc/passwd" },
		{ "Identity", "Locale=C/x" },
		{ "Seccomp", "Policy=../gui" },
		{ "Seccomp", "Allow=bpf;" },
		{ "Seccomp", "Abi=x32" },
		{ "Seccomp", "UserNamespaces=-1" },
		{ "Seccomp", "UserNamespaces=1025" },
		{ "App", "Package=A" },
		{ "Test", "File=/etc/passwd" },
		{ "Test", "File=.hidden" },
		{ "Test", "Timeout=4" },
		{ "Test", "Timeout=3601" },
		{ "App", "Argument=100%" },
		{ "App", "Argument=%z" },
		{ "Environment", "Variable=X=%" },
		{ "Files", "ReadOnly=%h" },
		{ "Files", "ReadOnly=%h/../x" },
		{ "Files", "ReadOnly=%hx" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *text = xasprintf("[%s]\n%s\n", rows[i].section,
						      rows[i].setting);
		struct profile *p = NULL;
		struct error *error = NULL;

		assert_refused(read_text(text, &p, &error), error, EINVAL, "= must be ");
	}
}

static void test_message_says_what_is_right(void **state)
{
	struct profile *p = NULL;
	struct error *error = NULL;

	(void)state;
	assert_refused(read_text("[Limits]\nDisk=lots\n", &p, &error), error, EINVAL,
		       "f:2: Disk= must be a size such as 512M, from 1M to 65536M, not 'lots'");
	assert_refused(read_text("[Network]\nMode=host\n", &p, &error), error, EINVAL,
		       "f:2: Mode= must be one of none, private, not 'host'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults_are_the_strictest),
		cmocka_unit_test(test_every_key_arrives),
		cmocka_unit_test(test_text_is_a_fixed_point),
		cmocka_unit_test(test_every_key_is_tested),
		cmocka_unit_test(test_what_is_not_supported_is_refused),
		cmocka_unit_test(test_an_empty_value_is_the_fallback),
		cmocka_unit_test(test_later_files_replace_and_append),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_list_limit),
		cmocka_unit_test(test_structure_is_checked),
		cmocka_unit_test(test_values_are_checked),
		cmocka_unit_test(test_message_says_what_is_right),
	};

	return cmocka_run_group_tests_name("profile", tests, NULL, NULL);
}
