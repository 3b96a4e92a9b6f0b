#include "view/exposure-rows.h"

static bool has_windows(const struct view *v)
{
	return v->plan->display != DISPLAY_NONE;
}

static unsigned measure_backend(const struct view *v)
{
	static const unsigned shares[] = {
		[DISPLAY_NONE] = 0,
		[DISPLAY_XPRA] = 700,
		[DISPLAY_XEPHYR] = EXPOSURE_WHOLE,
	};

	return shares[v->plan->display];
}

static bool tell_backend(const struct view *v, struct buf *out)
{
	static const char *const sentences[] = {
		[DISPLAY_NONE] = "It cannot show a window.",
		[DISPLAY_XPRA] = "It can show windows among yours, each with a border and a label "
				 "that it cannot change.",
		[DISPLAY_XEPHYR] = "It can draw what it likes in one window of yours, which holds "
				   "a whole screen; its X server talks to your desktop itself.",
	};

	buf_adds(out, sentences[v->plan->display]);
	return has_windows(v);
}

static bool is_drawn_by_host(const struct view *v)
{
	return v->plan->display == DISPLAY_XPRA && v->plan->viewer == VIEWER_HOST;
}

static unsigned measure_viewer(const struct view *v)
{
	return is_drawn_by_host(v) ? EXPOSURE_WHOLE : 0;
}

static bool tell_viewer(const struct view *v, struct buf *out)
{
	bool host = is_drawn_by_host(v);

	if (host)
		buf_adds(out, "It can attack the program that draws its windows, and that one has "
			      "all of your rights (Viewer=host).");
	else
		buf_adds(out, has_windows(v)
				      ? "It cannot get at your rights through the program that "
					"draws its windows, which is in a box of its own."
				      : "It cannot attack a program that draws its windows: there "
					"is none.");
	return host;
}

static unsigned measure_clipboard(const struct view *v)
{
	static const unsigned shares[] = {
		[CLIPBOARD_NONE] = 0,
		[CLIPBOARD_TO_DESKTOP] = 300,
		[CLIPBOARD_TO_SANDBOX] = 700,
		[CLIPBOARD_BOTH] = EXPOSURE_WHOLE,
	};

	return has_windows(v) ? shares[v->plan->clipboard] : 0;
}

static bool tell_clipboard(const struct view *v, struct buf *out)
{
	static const char *const sentences[] = {
		[CLIPBOARD_NONE] = "It cannot read what you copy, nor offer anything to paste.",
		[CLIPBOARD_TO_DESKTOP] = "It can offer something to paste elsewhere, and not read "
					 "what you copy.",
		[CLIPBOARD_TO_SANDBOX] = "It can read what you copy anywhere, and not offer "
					 "anything to paste.",
		[CLIPBOARD_BOTH] = "It can read what you copy anywhere, and offer something else "
				   "to paste.",
	};
	enum clipboard c = has_windows(v) ? v->plan->clipboard : CLIPBOARD_NONE;

	buf_adds(out, sentences[c]);
	return c != CLIPBOARD_NONE;
}

static bool tell_other_windows(const struct view *v, struct buf *out)
{
	buf_adds(out,
		 "It cannot see your other windows or your screen, nor read or send keys there");
	buf_adds(out, has_windows(v) ? ": it has an X server of its own." : ".");
	return false;
}

static unsigned measure_playback(const struct view *v)
{
	return v->plan->playback ? EXPOSURE_WHOLE : 0;
}

static bool tell_playback(const struct view *v, struct buf *out)
{
	buf_adds(out, v->plan->playback ? "It can play sound." : "It cannot play sound.");
	return v->plan->playback;
}

static bool tell_microphone(const struct view *v, struct buf *out)
{
	(void)v;
	buf_adds(out, "It cannot hear your microphone, nor what other programs play.");
	return false;
}

static unsigned measure_network(const struct view *v)
{
	return v->plan->network == NETWORK_PRIVATE ? EXPOSURE_WHOLE : 0;
}

static bool tell_network(const struct view *v, struct buf *out)
{
	static const char *const sentences[] = {
		[NETWORK_NONE] = "It cannot reach any network.",
		[NETWORK_PRIVATE] = "It can connect to every computer of the Internet and of your "
				    "home network, and tell there what it knows.",
	};

	buf_adds(out, sentences[v->plan->network]);
	return v->plan->network != NETWORK_NONE;
}

static bool tell_services(const struct view *v, struct buf *out)
{
	(void)v;
	buf_adds(out, "It cannot reach services of this computer that listen on localhost alone, "
		      "and nobody can connect to it.");
	return false;
}

/* What it can send is worse than what it hears, and a name of its own may be called by anybody. */
static unsigned measure_talk(const struct view *v)
{
	return exposure_of_list(v->plan->desktop_bus.talk);
}

static unsigned measure_own(const struct view *v)
{
	return exposure_of_list(v->plan->desktop_bus.own);
}

static unsigned measure_call(const struct view *v)
{
	return exposure_of_list(v->plan->desktop_bus.call);
}

static unsigned measure_broadcast(const struct view *v)
{
	return exposure_of_list(v->plan->desktop_bus.broadcast);
}

static bool tell_names(char *const *names, const char *some, const char *none, struct buf *out)
{
	buf_adds(out, names ? some : none);
	if (!names)
		return false;
	tell_list(names, out);
	buf_adds(out, ".");
	return true;
}

static bool tell_talk(const struct view *v, struct buf *out)
{
	return tell_names(v->plan->desktop_bus.talk,
			  "It can ask these programs of your desktop for anything: ",
			  "It cannot talk freely to any other program of your desktop.", out);
}

static bool tell_own(const struct view *v, struct buf *out)
{
	return tell_names(v->plan->desktop_bus.own,
			  "Programs of your desktop can find it under these names: ",
			  "Programs of your desktop cannot find it.", out);
}

static bool tell_call(const struct view *v, struct buf *out)
{
	return tell_names(v->plan->desktop_bus.call,
			  "It can ask programs of your desktop for this: ",
			  "It cannot ask any program of your desktop for single services.", out);
}

static bool tell_broadcast(const struct view *v, struct buf *out)
{
	return tell_names(v->plan->desktop_bus.broadcast,
			  "It hears what programs of your desktop tell to all: ",
			  "It hears nothing of what programs of your desktop tell to all.", out);
}

static bool tell_bus(const struct view *v, struct buf *out)
{
	buf_adds(out, v->plan->bus ? "Its session bus is its own, and leads nowhere else."
				   : "It cannot reach services that start programs, or hand out "
				     "files, secrets or other windows.");
	return false;
}

static bool tell_devices(const struct view *v, struct buf *out)
{
	(void)v;
	buf_adds(out, "It cannot use a camera, disk, graphics card or any other device.");
	return false;
}

static const struct exposure rows[] = {
	/* clang-format off */
	{ "Display", "Backend",   FEAR_WINDOWS, 8,  measure_backend,   tell_backend },
	{ "Display", "Viewer",    FEAR_WINDOWS, 25, measure_viewer,    tell_viewer },
	{ "Display", "Clipboard", FEAR_WINDOWS, 15, measure_clipboard, tell_clipboard },
	{ NULL,      NULL,        FEAR_WINDOWS, 0,  NULL,              tell_other_windows },
	{ "Sound",   "Playback",  FEAR_SOUND,   4,  measure_playback,  tell_playback },
	{ NULL,      NULL,        FEAR_SOUND,   0,  NULL,              tell_microphone },
	{ "Network", "Mode",      FEAR_NETWORK, 25, measure_network,   tell_network },
	{ NULL,      NULL,        FEAR_NETWORK, 0,  NULL,              tell_services },
	{ "Bus",     "Talk",      FEAR_BUS,     15, measure_talk,      tell_talk },
	{ "Bus",     "Own",       FEAR_BUS,     4,  measure_own,       tell_own },
	{ "Bus",     "Call",      FEAR_BUS,     8,  measure_call,      tell_call },
	{ "Bus",     "Broadcast", FEAR_BUS,     4,  measure_broadcast, tell_broadcast },
	{ NULL,      NULL,        FEAR_BUS,     0,  NULL,              tell_bus },
	{ NULL,      NULL,        FEAR_DEVICES, 0,  NULL,              tell_devices },
	/* clang-format on */
};

const struct exposure_part exposures_of_desktop = { rows, ARRAY_SIZE(rows) };
