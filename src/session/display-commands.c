#include "session/display-commands.h"

#include <string.h>

#include "base/buf.h"
#include "base/parse.h"

#define MEMORY_FD  "/proc/self/fd/0"
#define SCREEN_MAX 16384U /* pixels each way: more is nonsense */

/* What Xvfb can grow to. Its memory is 4 bytes a pixel, used from the start. */
static const struct screen_size common_size = { 3840, 2160 };
static const struct screen_size unknown_size = { 5760, 2560 };

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static void add_list(char ***v, const char *const *list)
{
	for (; *list; list++)
		strv_add(v, *list);
}

/* --- X servers -------------------------------------------------------------------------------- */

/* -auth: the file must be there, or the server would let anyone in. MIT-SHM is about segments of
 * one IPC namespace, and the application has another: a number of its own would mean a segment of
 * xpra's, or none at a moment when libraries do not expect that any more, and end (GTK 2 and 4). */
static const char *const x_server_options[] = {
	"-displayfd", "1",	  "-auth",	BOX_AUTH_FILE, "-nolisten",
	"tcp",	      "-noreset", "-extension", "MIT-SHM",     NULL,
};

char **xvfb_argv(uint32_t display, struct screen_size desktop)
{
	struct screen_size s = desktop.width ? common_size : unknown_size;
	char **v = NULL;

	strv_add(&v, "/usr/bin/Xvfb");
	strv_addf(&v, ":%u", display);
	add_list(&v, x_server_options);
	strv_add(&v, "-screen");
	strv_add(&v, "0");
	strv_addf(&v, "%ux%ux24+32", larger(s.width, desktop.width),
		  larger(s.height, desktop.height));
	strv_add(&v, "-dpi");
	strv_add(&v, "96");
	return v;
}

char **xephyr_argv(const struct plan *p)
{
	char **v = NULL;

	strv_add(&v, "/usr/bin/Xephyr");
	strv_addf(&v, ":%u", p->display_number);
	add_list(&v, x_server_options);
	strv_add(&v, "-screen");
	strv_add(&v, p->screen);
	strv_add(&v, "-resizeable");
	strv_add(&v, "-no-host-grab");
	strv_add(&v, "-title");
	strv_addf(&v, "[%s]", p->label);
	return v;
}

bool x_server_says_ready(const char *line, uint32_t display)
{
	uint32_t n;

	return parse_u32(line, &n) == 0 && n == display;
}

/* --- xrandr ----------------------------------------------------------------------------------- */

char **xrandr_query_argv(void)
{
	char **v = NULL;

	strv_add(&v, "/usr/bin/xrandr");
	strv_add(&v, "--current");
	return v;
}

/* A size in pixels at *at, which is moved behind it. */
static bool read_length(const char **at, uint32_t *ret)
{
	size_t n = strspn(*at, "0123456789");
	_cleanup_free_ char *digits = xstrndup(*at, n);

	*at += n;
	return parse_u32(digits, ret) == 0 && *ret > 0 && *ret <= SCREEN_MAX;
}

/* "Screen 0: minimum 8 x 8, current 1280 x 1024, maximum 16384 x 16384" */
bool xrandr_read_size(const char *line, struct screen_size *ret)
{
	static const char before[] = ", current ", between[] = " x ";
	const char *at = strstr(line, before);
	struct screen_size s;

	if (!at || strncmp(line, "Screen ", strlen("Screen ")))
		return false;
	at += strlen(before);
	if (!read_length(&at, &s.width) || strncmp(at, between, strlen(between)))
		return false;
	at += strlen(between);
	if (!read_length(&at, &s.height) || *at != ',')
		return false;
	*ret = s;
	return true;
}

/* Xvfb calls its one output "screen". Times of a mode mean nothing to it, so all are the size. */
char **xrandr_resize_argv(unsigned step, struct screen_size s)
{
	_cleanup_free_ char *name = xasprintf("%ux%u", s.width, s.height);
	char **v = NULL;

	if (step > 2)
		return NULL;
	strv_add(&v, "/usr/bin/xrandr");
	if (step == 0) {
		strv_add(&v, "--newmode");
		strv_add(&v, name);
		strv_add(&v, "0");
		for (int i = 0; i < 4; i++)
			strv_addf(&v, "%u", s.width);
		for (int i = 0; i < 4; i++)
			strv_addf(&v, "%u", s.height);
		return v;
	}
	strv_add(&v, step == 1 ? "--addmode" : "--output");
	strv_add(&v, "screen");
	if (step == 2)
		strv_add(&v, "--mode");
	strv_add(&v, name);
	return v;
}

/* --- xpra ------------------------------------------------------------------------------------- */

/* For both sides. Everything but windows, keys and the pointer is off. Pictures go through the
 * memory file as they are: no codec, no compressor, one packet format. */
static const char *const xpra_options[] = {
	"--mmap=" MEMORY_FD,
	"--encodings=rgb",
	"--video-encoders=none",
	"--video-decoders=none",
	"--csc-modules=none",
	"--compressors=none",
	"--packet-encoders=rencode",
	"--av-sync=no",
	"--bandwidth-detection=no",
	"--bell=no",
	"--dbus-proxy=no",
	"--file-transfer=no",
	"--forward-xdg-open=no",
	"--global-menus=no",
	"--mdns=no",
	"--microphone=no",
	"--notifications=no",
	"--open-files=no",
	"--open-url=no",
	"--printing=no",
	"--pulseaudio=no",
	"--remote-logging=no",
	"--speaker=no",
	"--start-new-commands=no",
	"--system-tray=no",
	"--webcam=no",
	"--xsettings=no",
	NULL,
};

static const char *const xpra_server_options[] = {
	"--use-display=yes",
	"--daemon=no",
	"--attach=no",
	"--socket-dir=" BOX_XPRA_DIR,
	"--socket-dirs=" BOX_XPRA_DIR,
	"--bind=auto",
	"--socket-permissions=666", /* the viewer box has another uid; the directory is private */
	"--dbus-control=no",
	"--dbus-launch=",
	"--exit-with-children=no",
	"--fake-xinerama=no",
	"--html=off",
	"--input-method=none",
	"--lock=yes",
	"--opengl=noprobe",
	"--resize-display=yes",
	"--sharing=no",
	"--ssh-upgrade=no",
	"--start-via-proxy=no",
	"--systemd-run=no",
	NULL,
};

static const char *const xpra_viewer_options[] = {
	"--mmap-group=no", /* the file is ready; its group is not the viewer's to change */
	"--encoding=rgb",
	"--opengl=no",
	"--tray=no",
	"--shortcut-modifiers=control,shift,meta", /* leave the keys to the application */
	NULL,
};

/* Which way the viewer lets the clipboard through; it is the one that enforces it. */
static const char *const clipboard_directions[CLIPBOARD_MAX] = {
	[CLIPBOARD_NONE] = NULL,
	[CLIPBOARD_TO_DESKTOP] = "to-client",
	[CLIPBOARD_TO_SANDBOX] = "to-server",
	[CLIPBOARD_BOTH] = "both",
};

/* Debian's configuration starts a whole session; the time goes into imports and self-tests. */
static const char *const xpra_variables[] = {
	"DBUS_SESSION_BUS_ADDRESS=disabled:",
	"NO_AT_BRIDGE=1",
	"PYTHONDONTWRITEBYTECODE=1",
	"PYTHONNOUSERSITE=1",
	"XPRA_CODEC_SELFTEST=0",
	"XPRA_DEFAULT_CONF_DIRS=/nonexistent",
	"XPRA_SOCKET_HOSTNAME=display", /* the socket is display-N */
	"XPRA_SYNC_ICC=0",
	"XPRA_SYSTEM_CONF_DIRS=/nonexistent",
	"XPRA_USER_CONF_DIRS=/nonexistent",
	"XPRA_USE_BENCODER=0",
	"XPRA_USE_YAML=0",
	NULL,
};

static const char *const xpra_server_variables[] = {
	"XPRA_MODIFY_GSETTINGS=0", "XPRA_NVFBC=0",
	"XPRA_UINPUT=0",	   "XPRA_VFB_WAIT=20", /* the X server starts at the same time */
	"XPRA_X11PROPERTY_SYNC=0", "XPRA_XDG_EXPORT_ICONS=0",
	"XPRA_XDG_LOAD_GLOB=0",	   NULL,
};

/*
 * Nothing may draw over or replace what marks a window as the sandbox's: no other names beside the
 * title, no properties set from inside (X11 bindings), no shape that cuts the border away, no
 * window that is transparent as a whole (opacity) or goes without a title bar because it draws one
 * of its own (decorations).
 */
static const char *const xpra_viewer_variables[] = {
	"XPRA_CONNECT_TIMEOUT=20",
	"XPRA_DRAGNDROP=0",
	"XPRA_ICON_OVERLAY=0",
	"XPRA_METADATA_SUPPORTED="
	"title,iconic,size-hints,class-instance,client-machine,transient-for,window-type,"
	"fullscreen,maximized,skip-taskbar,skip-pager,has-alpha,override-redirect,"
	"modal,role,group-leader,above,below,sticky,set-initial-position",
	"XPRA_OR_FORCE_GRAB=",
	"XPRA_SIGNAL_WATCHER=0",
	"XPRA_TITLE_CLOSEEXIT=",
	"XPRA_USE_X11_BINDINGS=0",
	"XPRA_WM_CLASS_CLOSEEXIT=",
	"XPRA_XSHAPE=0",
	NULL,
};

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n + 1) == 0;
}

/* NAME=VALUE replaces what the vector has under that name. */
static void set_variables(char ***v, const char *const *list)
{
	for (; *list; list++) {
		char **at = *v;

		while (at && *at && !same_name(*at, *list))
			at++;
		if (at && *at) {
			free(*at);
			*at = xstrdup(*list);
		} else {
			strv_add(v, *list);
		}
	}
}

char **xpra_server_argv(const struct plan *p)
{
	char **v = NULL;

	strv_add(&v, XPRA_PROGRAM);
	strv_add(&v, "start");
	strv_addf(&v, ":%u", p->display_number);
	add_list(&v, xpra_options);
	add_list(&v, xpra_server_options);
	strv_addf(&v, "--clipboard=%s", p->clipboard == CLIPBOARD_NONE ? "no" : "yes");
	return v;
}

char **xpra_server_env(const struct plan *p)
{
	_cleanup_free_ char *display = xasprintf("DISPLAY=:%u", p->display_number);
	const char *const own[] = { display, "XAUTHORITY=" BOX_AUTH_FILE, NULL };
	char **v = strv_copy(p->boxes[BOX_DISPLAY].environment);

	set_variables(&v, own);
	set_variables(&v, xpra_variables);
	set_variables(&v, xpra_server_variables);
	return v;
}

/* "@" starts a variable in xpra's title; "@@" is the character. */
static char *escape_title(const char *label)
{
	_cleanup_buf_ struct buf b = { 0 };

	for (; *label; label++) {
		if (*label == '@')
			buf_adds(&b, "@@");
		else
			buf_add(&b, label, 1);
	}
	return buf_take(&b);
}

char **xpra_viewer_argv(const struct plan *p, const char *socket_dir)
{
	_cleanup_free_ char *label = escape_title(p->label);
	const char *direction = clipboard_directions[p->clipboard];
	char **v = NULL;

	strv_add(&v, XPRA_PROGRAM);
	strv_add(&v, "attach");
	strv_addf(&v, ":%u", p->display_number);
	strv_addf(&v, "--socket-dir=%s", socket_dir);
	strv_addf(&v, "--socket-dirs=%s", socket_dir);
	strv_addf(&v, "--title=[%s] @title@", label);
	strv_addf(&v, "--border=%s,3", p->border);
	add_list(&v, xpra_options);
	add_list(&v, xpra_viewer_options);
	strv_addf(&v, "--clipboard=%s", direction ? "yes" : "no");
	if (direction)
		strv_addf(&v, "--clipboard-direction=%s", direction);
	return v;
}

char **xpra_viewer_env(char *const *base)
{
	char **v = strv_copy(base);

	set_variables(&v, xpra_variables);
	set_variables(&v, xpra_viewer_variables);
	return v;
}

bool xpra_server_says_ready(const char *line)
{
	return strstr(line, "xpra is ready") != NULL;
}
