#include "plan/plan-bus.h"

#include <ctype.h>
#include <string.h>

#include "base/strv.h"

/*
 * Names, all that lie beneath them, and those with a number, '-' or '_' behind them, as programs
 * have that run more than once. Each of these starts programs, reads or writes files, hands out
 * secrets, shows or steers other windows for whoever asks, since whoever asks was so far a program
 * of the user's own. Of desktops all names are meant: their programs have new ones with each
 * release, and each opens what it is told to open. Portals are safe with a proxy that says who
 * asks; ours does not say it yet, and they would take the application for one of the desktop's.
 */
/* clang-format off */
static const char *const never[] = {
	/* desktops, and what belongs to them */
	"ca.desrt", "com.canonical", "com.deepin", "com.system76", "io.elementary", "org.a11y",
	"org.Cinnamon", "org.Nemo", "org.cinnamon", "org.deepin", "org.freedesktop", "org.gnome",
	"org.gtk", "org.kde", "org.lxqt", "org.mate", "org.nemo", "org.xfce",
	/* input methods, sound, devices of others, virtual machines, packages */
	"ca.andyholmes", "com.redhat", "com.ubuntu", "io.snapcraft", "org.PulseAudio", "org.blueman",
	"org.bluez", "org.debian", "org.fcitx", "org.libvirt", "org.pulseaudio",
	/* terminals, passwords, pictures of the screen, other people's screens */
	"com.gexperts.Tilix", "com.mitchellh.ghostty", "com.raggesilver.BlackBox", "net.tenshi",
	"org.flameshot", "org.guake", "org.keepassxc", "org.remmina",
};

/* Of the desktops' names those that applications use. Their owner is often the desktop's shell,
 * and a name is a way to all that its owner does; so nothing is given but calls and signals of the
 * interface of that name. */
static const char *const narrow[] = {
	"com.canonical.AppMenu.Registrar", "org.freedesktop.Notifications",
	"org.freedesktop.PowerManagement", "org.freedesktop.PowerManagement.Inhibit",
	"org.freedesktop.ScreenSaver", "org.kde.StatusNotifierWatcher",
};
/* clang-format on */

/* Does the name, of n bytes, begin with the other one, and not within a word? */
static bool is_at(const char *name, size_t n, const char *other)
{
	size_t length = strlen(other);

	return n >= length && !strncmp(name, other, length) &&
	       (n == length || !isalpha((unsigned char)name[length]));
}

/* Is one of the two names at or beneath the other? */
static bool meets(const char *name, size_t n, bool beneath, const char *other)
{
	return is_at(name, n, other) ||
	       (beneath && strlen(other) > n && !strncmp(name, other, n) && other[n] == '.');
}

/* NULL: none. */
static const char *narrow_name(const char *value, size_t n)
{
	for (size_t i = 0; i < ARRAY_SIZE(narrow); i++)
		if (strlen(narrow[i]) == n && !strncmp(value, narrow[i], n))
			return narrow[i];
	return NULL;
}

/* NAME=NAME.METHOD, NAME=NAME.* or the same with a path. */
static bool is_narrow(const char *value, const char *name)
{
	const char *rule = strchr(value, '=');
	size_t n = strlen(name);

	return rule && !strncmp(rule + 1, name, n) && rule[1 + n] == '.';
}

static int refuse_wide(const struct profile *p, const char *key, const char *value,
		       const char *name, struct error **err)
{
	return error_set(err, EPERM,
			 "profile '%s': %s=%s would undo the sandbox: the owner of that name does "
			 "more than it says; take Call=%s=%s.*",
			 p->name, key, value, name, name);
}

int check_bus_value(const struct profile *p, const char *key, const char *value, struct error **err)
{
	size_t n = strcspn(value, "=");
	bool beneath = n > 2 && !strncmp(value + n - 2, ".*", 2);
	const char *name = strcmp(key, "Own") != 0 ? narrow_name(value, n) : NULL;

	if (name)
		return is_narrow(value, name) ? 0 : refuse_wide(p, key, value, name, err);
	if (beneath)
		n -= 2;
	for (size_t i = 0; i < ARRAY_SIZE(never); i++)
		if (meets(value, n, beneath, never[i]))
			return error_set(err, EPERM,
					 "profile '%s': %s=%s would undo the sandbox: %s and what "
					 "lies beneath it is never given",
					 p->name, key, value, never[i]);
	return 0;
}

static int check_list(const struct profile *p, const char *key, char *const *list,
		      struct error **err)
{
	int r = 0;

	for (; list && *list && r >= 0; list++)
		r = check_bus_value(p, key, *list, err);
	return r;
}

bool profile_uses_bus(const struct profile *p)
{
	return p->bus_talk || p->bus_own || p->bus_call || p->bus_broadcast;
}

int check_bus(const struct profile *p, const struct host_facts *host, struct error **err)
{
	int r;

	if (!profile_uses_bus(p))
		return 0;
	if (p->single_instance)
		return error_set(err, EINVAL,
				 "profile '%s': SingleInstance=yes has a bus of its own: take it "
				 "or the keys of [Bus] out",
				 p->name);
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
