#include "plan/plan-bus.h"

#include <string.h>

#include "base/strv.h"

/*
 * Names, and all that lie beneath them. Each of these starts programs, reads or writes files, hands
 * out secrets, shows or steers other windows for whoever asks, since whoever asks was so far a
 * program of the user's own. Portals are safe with a proxy that says who asks; ours does not say it
 * yet, and they would take the application for one of the desktop's.
 */
/* clang-format off */
static const char *const never[] = {
	"ca.desrt.dconf", "com.canonical.Unity", "com.canonical.indicator", "com.system76.CosmicSettings",
	"org.a11y", "org.cinnamon", "org.Cinnamon", "org.fcitx",
	"org.freedesktop.DBus", "org.freedesktop.Flatpak",
	"org.freedesktop.IBus", "org.freedesktop.PackageKit", "org.freedesktop.PolicyKit1",
	"org.freedesktop.Tracker1", "org.freedesktop.Tracker3", "org.freedesktop.impl",
	"org.freedesktop.login1", "org.freedesktop.portal", "org.freedesktop.secrets",
	"org.freedesktop.systemd1", "org.freedesktop.thumbnails", "org.gnome.ArchiveManager1",
	"org.gnome.Console", "org.gnome.Magnifier", "org.gnome.Mutter", "org.gnome.Nautilus",
	"org.gnome.OnlineAccounts", "org.gnome.ScreenSaver", "org.gnome.SessionManager",
	"org.gnome.SettingsDaemon", "org.gnome.Shell", "org.gnome.Terminal", "org.gnome.evolution",
	"org.gnome.keyring", "org.gtk.MountOperationHandler", "org.gtk.Private", "org.gtk.vfs",
	"org.kde.KWin", "org.kde.kded5", "org.kde.kded6", "org.kde.kglobalaccel", "org.kde.kioexecd",
	"org.kde.kiod5", "org.kde.kiod6", "org.kde.klauncher", "org.kde.klauncher5",
	"org.kde.konsole", "org.kde.krunner", "org.kde.ksmserver", "org.kde.kwalletd",
	"org.kde.kwalletd5", "org.kde.kwalletd6", "org.kde.plasma", "org.kde.plasmashell",
	"org.kde.yakuake", "org.mate.SessionManager", "org.mate.panel", "org.pulseaudio",
	"org.PulseAudio1", "org.remmina", "org.xfce.FileManager", "org.xfce.Panel",
	"org.xfce.SessionManager", "org.xfce.Session", "org.xfce.Xfconf", "org.xfce.xfdesktop",
};
/* clang-format on */

/* To own one is to be taken for it by every other program. */
static const char *const never_own[] = { "org.freedesktop", "org.gnome", "org.kde", "org.xfce" };

/* Is one of the two names at or beneath the other? `n`: bytes of name. */
static bool meets(const char *name, size_t n, bool beneath, const char *other)
{
	size_t length = strlen(other);

	if (n >= length)
		return !strncmp(name, other, length) && (n == length || name[length] == '.');
	return beneath && !strncmp(name, other, n) && other[n] == '.';
}

static int refuse_in(const char *const *table, size_t n_table, const struct profile *p,
		     const char *key, const char *value, struct error **err)
{
	size_t n = strcspn(value, "=");
	bool beneath = n > 2 && !strncmp(value + n - 2, ".*", 2);

	if (beneath)
		n -= 2;
	for (size_t i = 0; i < n_table; i++)
		if (meets(value, n, beneath, table[i]))
			return error_set(err, EPERM,
					 "profile '%s': %s=%s would undo the sandbox: %s is never "
					 "given",
					 p->name, key, value, table[i]);
	return 0;
}

static int check_list(const struct profile *p, const char *key, char *const *list,
		      struct error **err)
{
	int r = 0;

	for (; list && *list && r >= 0; list++)
		r = refuse_in(never, ARRAY_SIZE(never), p, key, *list, err);
	return r;
}

bool profile_uses_bus(const struct profile *p)
{
	return p->bus_talk || p->bus_own || p->bus_call || p->bus_broadcast;
}

int check_bus(const struct profile *p, const struct host_facts *host, struct error **err)
{
	int r = 0;

	if (!profile_uses_bus(p))
		return 0;
	if (p->single_instance)
		return error_set(err, EINVAL,
				 "profile '%s': SingleInstance=yes has a bus of its own: take it "
				 "or the keys of [Bus] out",
				 p->name);
	for (char **name = p->bus_own; name && *name && r >= 0; name++)
		r = refuse_in(never_own, ARRAY_SIZE(never_own), p, "Own", *name, err);
	if (r >= 0)
		r = check_list(p, "Own", p->bus_own, err);
	if (r >= 0)
		r = check_list(p, "Talk", p->bus_talk, err);
	if (r >= 0)
		r = check_list(p, "Call", p->bus_call, err);
	if (r >= 0)
		r = check_list(p, "Broadcast", p->bus_broadcast, err);
	if (r >= 0 && !host->desktop_bus)
		r = error_set(err, ENOTCONN,
			      "profile '%s' needs the desktop's D-Bus, and there is none: "
			      "DBUS_SESSION_BUS_ADDRESS names no socket of yours",
			      p->name);
	return r;
}

void plan_bus(struct plan *plan, const struct profile *p, const struct host_facts *host)
{
	if (!profile_uses_bus(p))
		return;
	plan->desktop_bus = (struct plan_bus){
		.address = xstrdup(host->desktop_bus),
		.talk = strv_copy(p->bus_talk),
		.own = strv_copy(p->bus_own),
		.call = strv_copy(p->bus_call),
		.broadcast = strv_copy(p->bus_broadcast),
	};
}

void plan_bus_release(struct plan_bus *b)
{
	free(b->address);
	strv_free(b->talk);
	strv_free(b->own);
	strv_free(b->call);
	strv_free(b->broadcast);
	*b = (struct plan_bus){ 0 };
}
