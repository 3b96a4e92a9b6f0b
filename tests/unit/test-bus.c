/* plan-bus and emit/bus: names that are never given, and the rules for the rest. */

#include "base/strv.h"
#include "emit/bus.h"
#include "plan/plan-bus.h"
#include "unit.h"

static const struct host_facts host = { .desktop_bus = "unix:path=/run/user/1000/bus" };

static int check(const char *lines, const struct host_facts *facts, struct profile **ret,
		 struct error **err)
{
	_cleanup_free_ char *text = xasprintf("[App]\nCommand=x\n[Bus]\n%s\n", lines);
	struct error *error = NULL;

	assert_done(profile_read(text, strlen(text), "f", "test", ret, &error), error);
	return check_bus(*ret, facts, err);
}

static void test_never_given(void **state)
{
	static const char *const lines[] = {
		"Talk=org.freedesktop.systemd1",
		"Talk=org.freedesktop.systemd1.Manager",
		"Talk=org.freedesktop.*",
		"Talk=com.gexperts.*",
		"Talk=org.gnome.*",
		"Talk=org.gnome.Shell.*",
		"Talk=org.freedesktop.DBus",
		"Own=org.freedesktop.Notifications",
		"Own=org.kde.*",
		"Own=org.gnome.Mine",
		"Call=org.freedesktop.portal.Desktop=*@/*",
		"Broadcast=org.freedesktop.login1=*",
		/* programs that run more than once, or count their versions */
		"Talk=org.kde.konsole-1234",
		"Talk=net.tenshi.Terminator2",
		"Talk=org.PulseAudio1",
		"Talk=org.guake3.RemoteControl",
		/* the clipboard, the index of all files, pictures of the screen */
		"Talk=org.kde.klipper",
		"Talk=org.freedesktop.LocalSearch3",
		"Talk=org.gnome.zeitgeist.Engine",
		"Talk=org.flameshot.Flameshot",
		"Talk=org.freedesktop.FileManager1",
		"Talk=org.xfce.Terminal5",
		"Talk=org.bluez.obex",
		"Call=io.snapcraft.PrivilegedDesktopLauncher=*",
		/* the desktop's shell owns it: more than the interface of that name */
		"Talk=org.freedesktop.Notifications",
		"Talk=org.freedesktop.ScreenSaver",
		"Talk=org.kde.StatusNotifierWatcher",
		"Talk=com.canonical.AppMenu.*",
		"Call=org.freedesktop.Notifications=*",
		"Call=org.freedesktop.Notifications=*@/org/freedesktop/Notifications",
		"Call=org.freedesktop.Notifications=org.kde.PlasmaShell.evaluateScript",
		"Call=org.freedesktop.Notifications=org.freedesktop.NotificationsX.A",
		"Broadcast=org.freedesktop.ScreenSaver=*@/*",
		"Talk=org.example.A\nTalk=org.freedesktop.impl.portal.desktop.gtk",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_(profile_freep) struct profile *p = NULL;
		struct error *error = NULL;

		assert_refused(check(lines[i], &host, &p, &error), error, EPERM,
			       "would undo the sandbox");
	}
}

static void test_given(void **state)
{
	static const char *const lines[] = {
		"Call=org.freedesktop.Notifications=org.freedesktop.Notifications.*",
		"Call=org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.Inhibit@/ScreenSaver",
		"Broadcast=org.freedesktop.ScreenSaver=org.freedesktop.ScreenSaver.*",
		"Talk=org.example.*",
		"Own=org.example.App",
		"Talk=org.gnomes.Game",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		_cleanup_(profile_freep) struct profile *p = NULL;
		struct error *error = NULL;

		assert_done(check(lines[i], &host, &p, &error), error);
	}
}

static void test_needs_a_bus(void **state)
{
	static const struct host_facts none = { .desktop_bus = NULL };
	_cleanup_(profile_freep) struct profile *p = NULL, *q = NULL;
	struct error *error = NULL;

	(void)state;
	assert_refused(check("Talk=org.example.A", &none, &p, &error), error, ENOTCONN,
		       "DBUS_SESSION_BUS_ADDRESS");
	error = NULL;
	assert_refused(check("Talk=org.example.A\n[App]\nSingleInstance=yes", &host, &q, &error),
		       error, EINVAL, "a bus of its own");
}

static void test_rules(void **state)
{
	_cleanup_(profile_freep) struct profile *p = NULL;
	_cleanup_strv_ char **rules = NULL;
	_cleanup_free_ char *joined = NULL;
	struct plan plan = { 0 };
	struct error *error = NULL;

	(void)state;
	assert_done(check("Talk=a.b\nTalk=c.d.*\nOwn=e.f\nCall=g.h=g.h.I@/j\nBroadcast=k.l=*@/*",
			  &host, &p, &error),
		    error);
	plan_bus(&plan, p, &host);
	rules = bus_rules_render(&plan.desktop_bus);
	joined = strv_join(rules, " ");
	assert_string_equal(joined,
			    "--filter --talk=a.b --talk=c.d.* --own=e.f --call=g.h=g.h.I@/j "
			    "--broadcast=k.l=*@/*");
	plan_bus_release(&plan.desktop_bus);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_never_given),
		cmocka_unit_test(test_given),
		cmocka_unit_test(test_needs_a_bus),
		cmocka_unit_test(test_rules),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
