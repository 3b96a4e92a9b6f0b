#include "emit/lxc.h"

#include <string.h>

#include "base/parse.h"
#include "base/strv.h"
#include "base/text.h"

#define QUOTE_MAX    64 /* bytes of a line that a message shows */
#define ID_MAPS	     5U /* two for users, three for groups */
#define ENTRIES_MAX  64U
#define MOUNT_FIELDS 6U

/* --- what values may look like ----------------------------------------------- */

static bool is_ordinary_id(const char *s)
{
	uint32_t id;

	return parse_u32(s, &id) == 0 && id != 0;
}

static bool is_path(const char *s)
{
	return *s == '/' && !strchr(s, ' ') && !strstr(s, "/../");
}

static bool is_root(const char *s)
{
	return !strncmp(s, "dir:/", 5) && is_path(s + 4);
}

/* SOFT:HARD, as getrlimit(2) has it. */
static bool is_open_files(const char *s)
{
	size_t n = strcspn(s, ":");
	_cleanup_free_ char *soft_text = xstrndup(s, n);
	uint32_t soft, hard;

	return s[n] && parse_u32(soft_text, &soft) == 0 && parse_u32(s + n + 1, &hard) == 0 &&
	       soft != 0 && soft <= hard;
}

/* The fields of a value, which are parted by single spaces. */
static char **split(const char *s)
{
	_cleanup_free_ char *copy = xstrdup(s);
	char **fields = NULL, *state, *field;

	for (field = strtok_r(copy, " ", &state); field; field = strtok_r(NULL, " ", &state))
		strv_add(&fields, field);
	return fields;
}

/* A map of one id. */
static bool read_id_map(const char *s, uint32_t *ret_inside, uint32_t *ret_outside)
{
	_cleanup_strv_ char **fields = split(s);

	return strv_length(fields) == 4 && (!strcmp(fields[0], "u") || !strcmp(fields[0], "g")) &&
	       parse_u32(fields[1], ret_inside) == 0 && parse_u32(fields[2], ret_outside) == 0 &&
	       !strcmp(fields[3], "1");
}

/* One id of a slice; so never the holder's root (0), and never the user (65536). */
static bool is_id_map(const char *s)
{
	uint32_t inside, outside;

	return read_id_map(s, &inside, &outside) && outside >= SLICE_FIRST &&
	       outside < SLICE_FIRST + SLICE_COUNT * SLICE_IDS;
}

/* The user's own id, for UidMode=user alone; never for the root of a box. */
static bool is_own_id_map(const char *s)
{
	uint32_t inside, outside;

	return read_id_map(s, &inside, &outside) && outside == OWNER_USER && inside != 0;
}

static bool is_mount_option(const char *s)
{
	static const char *const words[] = {
		"bind", "nodev", "noexec", "nosuid", "optional", "ro",
	};
	static const char *const values[] = { "mode=", "nr_inodes=", "size=" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (!strcmp(words[i], s))
			return true;
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		uint64_t n;

		if (!strncmp(values[i], s, strlen(values[i])))
			return parse_size(s + strlen(values[i]), &n) == 0;
	}
	return false;
}

/* All options are known, and the wanted ones are among them. */
static bool are_mount_options(const char *s, const char *const wanted[])
{
	_cleanup_free_ char *copy = xstrdup(s);
	_cleanup_strv_ char **options = NULL;
	char *state, *option;

	for (option = strtok_r(copy, ",", &state); option; option = strtok_r(NULL, ",", &state)) {
		if (!is_mount_option(option))
			return false;
		strv_add(&options, option);
	}
	for (; *wanted; wanted++)
		if (!strv_contains(options, *wanted))
			return false;
	return true;
}

/* The one file of a prepared tree that is mounted over a file of /proc. */
static bool is_boot_id_file(const char *s)
{
	size_t tail = strlen(BOX_BOOT_ID_FILE), length = strlen(s);

	return *s == '/' && length > tail && !strcmp(s + length - tail, BOX_BOOT_ID_FILE) &&
	       !strstr(s, "..");
}

/* Everything else is mounted before liblxc starts. Here: nothing over something, in /proc or /dev.
 */
static bool is_mount(const char *s)
{
	static const struct {
		const char *source, *type;
		const char *options[4];
	} forms[] = {
		{ "/dev/null", "none", { "bind" } },
		{ "tmpfs", "tmpfs", { "nosuid", "nodev", "noexec" } },
	};
	_cleanup_strv_ char **f = split(s);

	if (strv_length(f) != MOUNT_FIELDS || strcmp(f[4], "0") || strcmp(f[5], "0"))
		return false;
	if ((strncmp(f[1], "proc/", 5) && strncmp(f[1], "dev/", 4)) || strstr(f[1], ".."))
		return false;
	if (!strcmp(f[1], BOX_BOOT_ID_TARGET))
		return is_boot_id_file(f[0]) && !strcmp(f[2], "none") && !strcmp(f[3], "bind,ro");
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++)
		if (!strcmp(f[0], forms[i].source) && !strcmp(f[2], forms[i].type))
			return are_mount_options(f[3], forms[i].options);
	return false;
}

/* --- keys -------------------------------------------------------------------- */

/* clang-format off */
static const struct lxc_key {
	const char *name;
	const char *only;                    /* the one value that is right, or */
	bool (*is_valid)(const char *value); /* what makes it right */
	unsigned min, max;                   /* how often */
} keys[] = {
	{ "lxc.apparmor.profile", "unchanged",  NULL,                1,       1 }, /* box/label.h */
	{ "lxc.autodev",          "0",          NULL,                1,       1 },
	{ "lxc.cap.keep",         "none",       NULL,                1,       1 },
	{ "lxc.console.path",     "none",       NULL,                1,       1 },
	{ "lxc.idmap",            NULL,         is_id_map,           ID_MAPS, ID_MAPS },
	{ "lxc.init.cmd",         BOX_INIT,     NULL,                1,       1 },
	{ "lxc.init.gid",         NULL,         is_ordinary_id,      1,       1 },
	{ "lxc.init.uid",         NULL,         is_ordinary_id,      1,       1 },
	{ "lxc.mount.auto",       "proc:mixed", NULL,                1,       1 },
	{ "lxc.mount.entry",      NULL,         is_mount,            0,       ENTRIES_MAX },
	{ "lxc.net.0.flags",      "up",         NULL,                1,       1 },
	{ "lxc.net.0.type",       "empty",      NULL,                1,       1 },
	{ "lxc.no_new_privs",     "1",          NULL,                1,       1 },
	{ "lxc.prlimit.core",     "1",          NULL,                1,       1 },
	{ "lxc.prlimit.nofile",   NULL,         is_open_files,       1,       1 },
	{ "lxc.pty.max",          "0",          NULL,                1,       1 },
	{ "lxc.rootfs.path",      NULL,         is_root,             1,       1 },
	{ "lxc.seccomp.profile",  NULL,         is_path,             1,       1 },
	{ "lxc.tty.max",          "0",          NULL,                1,       1 },
	{ "lxc.uts.name",         NULL,         name_is_valid,       1,       1 },
};
/* clang-format on */

static int refuse(const char *why, const char *text, struct error **err)
{
	_cleanup_free_ char *shown = text_escape(text, QUOTE_MAX);

	return error_set(err, EINVAL, "LXC configuration: %s: '%s'", why, shown);
}

struct checker {
	unsigned counts[ARRAY_SIZE(keys)];
	bool own_id;
};

static bool is_right(const struct checker *c, const struct lxc_key *k, const char *value)
{
	if (k->only)
		return !strcmp(k->only, value);
	return k->is_valid(value) ||
	       (c->own_id && k->is_valid == is_id_map && is_own_id_map(value));
}

static int check_key(struct checker *c, const char *name, const char *value, struct error **err)
{
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const struct lxc_key *k = &keys[i];

		if (strcmp(k->name, name))
			continue;
		if (!is_right(c, k, value))
			return refuse("bad value", value, err);
		if (++c->counts[i] > k->max)
			return refuse("given too often", name, err);
		return 0;
	}
	return refuse("not a key of ours", name, err);
}

/* `key = value`, with exactly these spaces, which is one of the ways liblxc takes it. */
static int check_line(struct checker *c, char *line, struct error **err)
{
	static const char separator[] = " = ";
	char *equals = strstr(line, separator);

	if (!*line || *line == '#')
		return 0;
	if (!text_is_clean(line))
		return refuse("control character", line, err);
	if (!equals)
		return refuse("neither 'key = value' nor a comment", line, err);
	*equals = '\0';
	return check_key(c, line, equals + strlen(separator), err);
}

int lxc_config_check(const char *text, bool own_id, struct error **err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	struct checker c = { .own_id = own_id };
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		int r = check_line(&c, line, err);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (c.counts[i] < keys[i].min)
			return refuse("missing", keys[i].name, err);
	return 0;
}
