#include "plan/plan-boxes.h"

#include <string.h>

#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "gate/protocol.h"
#include "plan/words.h"
#include "profile/specifier.h"
#include "profile/value.h"

/* --- what the rows of the tables are made of --------------------------------- */

enum {
	APP = 1 << BOX_APP,
	DISPLAY = 1 << BOX_DISPLAY,
	VIEWER = 1 << BOX_VIEWER,
	EVERY = APP | DISPLAY | VIEWER,
};

enum owner {
	BY_BOX_ROOT,
	BY_BOX_USER,
	BY_X_SERVER, /* the user of the box that the X server runs in */
	BY_USER,     /* of the desktop: the supervisor writes there */
};

enum access {
	READ_ONLY = 1 << 0,
	EXEC = 1 << 1,
	PROGRAMS = 1 << 2, /* executable if the profile wants that */
};

typedef bool condition(const struct plan *p);

static bool always(const struct plan *p)
{
	(void)p;
	return true;
}

static bool with_display(const struct plan *p)
{
	return p->display != DISPLAY_NONE;
}

static bool with_xpra(const struct plan *p)
{
	return p->display == DISPLAY_XPRA;
}

static bool with_xephyr(const struct plan *p)
{
	return p->display == DISPLAY_XEPHYR;
}

static bool with_sound(const struct plan *p)
{
	return p->playback;
}

static bool with_bus(const struct plan *p)
{
	return p->bus;
}

static bool with_desktop_bus(const struct plan *p)
{
	return p->desktop_bus.address;
}

static bool with_empty_home(const struct plan *p)
{
	return p->home == HOME_EMPTY;
}

static bool with_prepared_home(const struct plan *p)
{
	return p->home == HOME_PREPARED;
}

static bool with_kept_home(const struct plan *p)
{
	return p->home == HOME_KEPT;
}

static bool with_program(const struct plan *p)
{
	return p->program;
}

struct mount_rule {
	unsigned boxes;
	condition *when;
	enum mount_source source;
	const char *name;   /* template */
	const char *target; /* template */
	enum owner owner;
	mode_t mode;
	unsigned access;
};

struct variable_rule {
	unsigned boxes;
	condition *when;
	const char *setting; /* template */
};

struct file_rule {
	const char *path;
	const char *content; /* template */
};

/* --- the tables -------------------------------------------------------------- */

/*
 * In the order of mounting. A shared directory lies in the sandbox's own tmpfs; who it belongs to
 * and who sees it read-only is what keeps the boxes apart. The X server's socket directory would be
 * made sticky and open to all by the server itself.
 */
/* clang-format off */
static const struct mount_rule mount_rules[] = {
	{ EVERY,            always,       MOUNT_SCRATCH, "run",              "/run",                      BY_BOX_ROOT, 0755,  0 },
	{ EVERY,            always,       MOUNT_SCRATCH, "runtime",          "/run/user/{uid}",           BY_BOX_USER, 0700,  PROGRAMS },
	{ EVERY,            always,       MOUNT_SCRATCH, "tmp",              "/tmp",                      BY_BOX_ROOT, 01777, PROGRAMS },
	{ EVERY,            always,       MOUNT_SCRATCH, "var-tmp",          "/var/tmp",                  BY_BOX_ROOT, 01777, PROGRAMS },
	{ DISPLAY | VIEWER, always,       MOUNT_SCRATCH, BOX_HOME_SCRATCH,   "{home}",                    BY_BOX_USER, 0700,  PROGRAMS },
	{ APP,              with_empty_home,    MOUNT_SCRATCH, BOX_HOME_SCRATCH, "{home}",                BY_BOX_USER, 0700,  PROGRAMS },
	{ APP,              with_prepared_home, MOUNT_COPY, "{prepared}",    "{home}",                    BY_BOX_USER, 0700,  PROGRAMS },
	{ APP,              with_kept_home, MOUNT_KEPT, "{kept}/" KEPT_HOME, "{home}",                    BY_BOX_USER, 0700,  PROGRAMS },
	{ APP,              always,       MOUNT_GATE,    GATE_FILES,         "{home}/" BOX_FILES_DIR,     BY_BOX_USER, 0,     PROGRAMS },
	{ DISPLAY,          with_xpra,    MOUNT_SHARED,  "x11",              "/tmp/.X11-unix",            BY_X_SERVER, 01777, 0 },
	{ VIEWER,           with_xephyr,  MOUNT_SHARED,  "x11",              "/tmp/.X11-unix",            BY_X_SERVER, 01777, 0 },
	{ APP,              with_display, MOUNT_SHARED,  "x11",              "/tmp/.X11-unix",            BY_X_SERVER, 01777, READ_ONLY },
	{ VIEWER,           always,       MOUNT_HOST,    "{desktop-socket}", "{desktop-socket}",          BY_BOX_ROOT, 0,     READ_ONLY },
	{ APP | DISPLAY,    with_display, MOUNT_SHARED,  "auth",             "/run/vitrine/auth",         BY_USER,     0755,  READ_ONLY },
	{ VIEWER,           with_xephyr,  MOUNT_SHARED,  "auth",             "/run/vitrine/auth",         BY_USER,     0755,  READ_ONLY },
	{ VIEWER,           always,       MOUNT_SHARED,  "desktop-auth",     "/run/vitrine/desktop-auth", BY_USER,     0755,  READ_ONLY },
	{ DISPLAY | VIEWER, with_xpra,    MOUNT_SHARED,  "xpra",             BOX_XPRA_DIR,                BY_X_SERVER, 0755,  0 },
	{ APP,              with_sound,   MOUNT_SHARED,  "sound",            BOX_SOUND_DIR,               BY_USER,     0755,  READ_ONLY },
	{ APP,              with_desktop_bus, MOUNT_SHARED, "bus",            BOX_BUS_DIR,                 BY_USER,     0755,  READ_ONLY },
	{ APP,              with_program, MOUNT_SHARED,  "program",          BOX_PROGRAM_DIR,             BY_USER,     0755,  READ_ONLY | EXEC },
};

/* All of the environment but what the profile adds; nothing of the caller's comes through. */
static const struct variable_rule variable_rules[] = {
	{ EVERY,         always,       "HOME={home}" },
	{ EVERY,         always,       "USER={user}" },
	{ EVERY,         always,       "LOGNAME={user}" },
	{ EVERY,         always,       "PATH=/usr/local/bin:/usr/bin:/bin:/usr/games" },
	{ EVERY,         always,       "SHELL=/bin/sh" },
	{ EVERY,         always,       "LANG={locale}" },
	{ EVERY,         always,       "TZ={zone}" },
	{ EVERY,         always,       "XDG_RUNTIME_DIR=/run/user/{uid}" },
	{ EVERY,         always,       "TMPDIR=/tmp" },
	{ EVERY,         always,       "NO_AT_BRIDGE=1" },
	{ EVERY,         always,       "GTK_A11Y=none" },
	{ APP | DISPLAY, with_display, "DISPLAY=:{display}" },
	{ APP | DISPLAY, with_display, "XAUTHORITY=" BOX_AUTH_FILE },
	{ VIEWER,        always,       "DISPLAY=:{desktop}" },
	{ VIEWER,        always,       "XAUTHORITY=" BOX_DESKTOP_AUTH_FILE },
	{ APP,           with_bus,     "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/{uid}/bus" },
	{ APP,           with_desktop_bus, "DBUS_SESSION_BUS_ADDRESS=unix:path=" BOX_BUS_DIR "/" BOX_BUS_SOCKET },
	{ APP,           with_sound,   "PULSE_SERVER=unix:/run/user/{uid}/pulse/native" },
};

/* Who the box is, in each alike. What the host or the image say about it is hidden. */
static const struct file_rule file_rules[] = {
	{ BOX_BOOT_ID_FILE, "{boot-id}\n" },
	{ "/etc/group",
	  "root:x:0:\n"
	  "tty:x:5:\n"
	  "{user}:x:{gid}:\n"
	  "nogroup:x:65534:\n" },
	{ "/etc/hostname", "{host}\n" },
	{ "/etc/hosts",
	  "127.0.0.1 localhost\n"
	  "127.0.1.1 {host}\n"
	  "::1 localhost\n" },
	{ "/etc/machine-id", "{machine-id}\n" },
	{ "/etc/passwd",
	  "root:x:0:0:root:/root:/usr/sbin/nologin\n"
	  "{user}:x:{uid}:{gid}::{home}:/bin/sh\n"
	  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n" },
	{ "/etc/resolv.conf", "{resolver}" },
	{ "/etc/timezone", "{zone}\n" },
};
/* clang-format on */

/* --- from the tables to a box ------------------------------------------------ */

static const char *resolver(const struct plan *plan, enum box_kind kind)
{
	/* The address of slirp4netns's resolver. */
	return kind == BOX_APP && plan->network == NETWORK_PRIVATE ? "nameserver 10.0.2.3\n" : "";
}

/* Only the application may be told something else than what is so. */
static const char *told(const char *of_profile, const char *of_host, enum box_kind kind)
{
	return kind == BOX_APP && strcmp(of_profile, KEY_HOST) ? of_profile : of_host;
}

static void add_words(struct words *w, const struct plan *plan, enum box_kind kind,
		      const struct profile *p, const struct host_facts *host,
		      const struct plan_inputs *in)
{
	_cleanup_buf_ struct buf machine_id = { 0 };

	for (size_t i = 0; i < sizeof in->machine_id; i++)
		buf_addf(&machine_id, "%02x", in->machine_id[i]);
	words_add(w, "desktop", "%u", host->desktop_display);
	words_add(w, "desktop-socket", "%s", host->desktop_socket ? host->desktop_socket : "");
	words_add(w, "display", "%u", plan->display_number);
	words_add(w, "gid", "%u", host->gid);
	words_add(w, "home", "%s", host->home);
	words_add(w, "host", "%s", plan->boxes[kind].host_name);
	words_add(w, "kept", "%s", in->kept_dir ? in->kept_dir : "");
	words_add(w, "prepared", "%s", in->prepared_dir ? in->prepared_dir : "");
	words_add(w, "locale", "%s",
		  told(p->locale, host->locale ? host->locale : "C.UTF-8", kind));
	words_add(w, "machine-id", "%s", machine_id.data);
	words_add(w, "boot-id", "%.8s-%.4s-%.4s-%.4s-%.12s", machine_id.data + 24,
		  machine_id.data + 20, machine_id.data + 16, machine_id.data + 12,
		  machine_id.data);
	words_add(w, "resolver", "%s", resolver(plan, kind));
	words_add(w, "uid", "%u", host->uid);
	words_add(w, "user", "%s", host->user);
	words_add(w, "zone", "%s",
		  told(p->time_zone, host->time_zone ? host->time_zone : "UTC", kind));
}

/* The id in the holder. */
static int32_t owner_id(enum owner owner, const struct plan *plan, const struct box_plan *box,
			const struct plan_inputs *in)
{
	enum box_kind server = plan->display == DISPLAY_XEPHYR ? BOX_VIEWER : BOX_DISPLAY;
	const int32_t ids[] = {
		[BY_BOX_ROOT] = (int32_t)box->slice.first,
		[BY_BOX_USER] = (int32_t)box->user,
		[BY_X_SERVER] = (int32_t)in->slices[server].first + 1,
		[BY_USER] = OWNER_USER,
	};

	return ids[owner];
}

static void add_mounts(struct box_plan *box, const struct plan *plan, const struct words *w,
		       bool programs, const struct plan_inputs *in)
{
	box->mounts = xcalloc(ARRAY_SIZE(mount_rules) + PROFILE_LIST_MAX + in->n_grants,
			      sizeof *box->mounts);
	for (size_t i = 0; i < ARRAY_SIZE(mount_rules); i++) {
		const struct mount_rule *r = &mount_rules[i];

		if (!(r->boxes & 1U << box->kind) || !r->when(plan))
			continue;
		box->mounts[box->n_mounts++] = (struct box_mount){
			.source = r->source,
			.name = words_expand(w, r->name),
			.target = words_expand(w, r->target),
			.read_only = r->access & READ_ONLY,
			.exec = r->access & EXEC || (r->access & PROGRAMS && programs),
			.mode = r->mode,
			.owner = owner_id(r->owner, plan, box, in),
		};
	}
}

/* None lies beneath another one, nor beneath what is given. */
static void add_kept(struct box_plan *box, const struct profile *p, const struct plan_inputs *in)
{
	for (char **path = p->kept; path && *path; path++) {
		_cleanup_free_ char *name = plan_kept_name(*path);

		box->mounts[box->n_mounts++] = (struct box_mount){
			.source = MOUNT_KEPT,
			.name = xasprintf("%s/" KEPT_PATHS "/%s", in->kept_dir, name),
			.target = xasprintf("%s/%s", box->home, *path),
			.exec = p->writable_mounts,
			.mode = 0700,
			.owner = (int32_t)box->user,
		};
	}
}

static int compare_targets(const void *a, const void *b)
{
	return strcmp(((const struct plan_grant *)a)->target,
		      ((const struct plan_grant *)b)->target);
}

/* Parents first. With the user's own id in the box there is nothing to translate: the host's own
 * directories are bound, at native speed. */
static void add_grants(struct box_plan *box, enum uid_mode mode, bool programs,
		       const struct plan_inputs *in)
{
	_cleanup_free_ struct plan_grant *sorted = xcalloc(in->n_grants, sizeof *sorted);

	if (!in->n_grants)
		return;
	memcpy(sorted, in->grants, in->n_grants * sizeof *sorted);
	qsort(sorted, in->n_grants, sizeof *sorted, compare_targets);
	for (size_t i = 0; i < in->n_grants; i++) {
		const struct plan_grant *g = &sorted[i];

		box->mounts[box->n_mounts++] = (struct box_mount){
			.source = mode == UID_USER ? MOUNT_HOST : MOUNT_GATE,
			.name = xstrdup(mode == UID_USER ? g->source : g->place),
			.target = xstrdup(g->target),
			.file = !g->directory,
			.read_only = !g->writable,
			.exec = programs,
			.owner = (int32_t)box->user,
		};
	}
}

static void add_files(struct box_plan *box, const struct words *w)
{
	box->files = xcalloc(ARRAY_SIZE(file_rules), sizeof *box->files);
	for (size_t i = 0; i < ARRAY_SIZE(file_rules); i++)
		box->files[box->n_files++] = (struct box_file){
			.path = xstrdup(file_rules[i].path),
			.content = words_expand(w, file_rules[i].content),
			.mode = 0644,
		};
}

/* Takes over NAME=VALUE; one of the same name is replaced. */
static void set_variable(char ***env, char *setting)
{
	size_t length = strcspn(setting, "=") + 1;

	for (char **old = *env; old && *old; old++) {
		if (strncmp(*old, setting, length))
			continue;
		free(*old);
		*old = setting;
		return;
	}
	strv_take(env, setting);
}

static void add_environment(struct box_plan *box, const struct plan *plan, const struct words *w,
			    char *const *of_profile, const struct specifiers *values)
{
	for (size_t i = 0; i < ARRAY_SIZE(variable_rules); i++) {
		const struct variable_rule *r = &variable_rules[i];

		if (r->boxes & 1U << box->kind && r->when(plan))
			set_variable(&box->environment, words_expand(w, r->setting));
	}
	for (; of_profile && *of_profile; of_profile++)
		set_variable(&box->environment, specifiers_expand(*of_profile, values));
}

/* The viewer's is the desktop's: a window manager says of windows of another host where they are
 * from. */
static const char *box_host_name(const struct profile *p, const struct host_facts *host,
				 enum box_kind kind)
{
	bool of_host = kind == BOX_VIEWER ||
		       (kind == BOX_APP && p->host_name && !strcmp(p->host_name, KEY_HOST));

	if (of_host && host->host_name && name_is_valid(host->host_name))
		return host->host_name;
	if (kind == BOX_APP)
		return p->host_name && !of_host ? p->host_name : p->name;
	return box_kind_to_string(kind);
}

void plan_box(struct plan *plan, enum box_kind kind, const struct profile *p,
	      const struct host_facts *host, const struct plan_inputs *in)
{
	struct box_plan *box = &plan->boxes[kind];
	bool is_app = kind == BOX_APP;
	_cleanup_words_ struct words words = { 0 };

	*box = (struct box_plan){
		.kind = kind,
		.host_name = xstrdup(box_host_name(p, host, kind)),
		.image_layers = strv_copy(in->image_layers[kind]),
		.slice = in->slices[kind],
		.uid = host->uid,
		.gid = host->gid,
		.user = is_app && p->uid_mode == UID_USER ? OWNER_USER : in->slices[kind].first + 1,
		.root_writable = is_app && p->root == ROOT_WRITABLE,
		.home = xstrdup(host->home),
	};
	plan->has_box[kind] = true;
	add_words(&words, plan, kind, p, host, in);
	add_mounts(box, plan, &words, is_app && p->writable_mounts, in);
	if (is_app)
		add_kept(box, p, in);
	if (is_app)
		add_grants(box, p->uid_mode, p->writable_mounts, in);
	add_files(box, &words);
	add_environment(box, plan, &words, is_app ? p->environment : NULL,
			&(struct specifiers){ host->home, host->user, in->id });
}
